"""Facts on the machine the driver runs on, and samples around each run."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from kit.engine.protocol import EngineInfo
from kit.measure.session import HostFacts, HostSample

PROC = Path("/proc")
SYS = Path("/sys")


@dataclass(frozen=True)
class HostReading:
    """The host at one moment. Bytes; ``steal_ticks`` in 1/100 s over all CPUs."""

    load_1m: float
    available_bytes: int
    steal_ticks: int | None


class Host(Protocol):
    """The machine, as far as measuring needs it."""

    def read(self) -> HostReading:
        """The host now."""
        ...


class LocalHost:
    """The machine this process runs on."""

    def read(self) -> HostReading:
        """The host now."""
        return HostReading(
            load_1m=os.getloadavg()[0],
            available_bytes=int(psutil.virtual_memory().available),
            steal_ticks=_steal_ticks(_text(PROC / "stat")),
        )


def sample(before: HostReading, after: HostReading) -> HostSample:
    """What two readings around a run say of it."""
    stolen = None
    if before.steal_ticks is not None and after.steal_ticks is not None:
        stolen = after.steal_ticks - before.steal_ticks
    return HostSample(
        load_1m_before=before.load_1m,
        load_1m_after=after.load_1m,
        available_bytes_before=before.available_bytes,
        steal_ticks=stolen,
    )


def host_facts(engine: EngineInfo) -> HostFacts:
    """The host's facts. What cannot be told stays empty."""
    cpuinfo = _text(PROC / "cpuinfo")
    return HostFacts(
        cpu_model=_field(cpuinfo, "model name"),
        cpus=os.cpu_count() or 0,
        governor=_text(SYS / "devices/system/cpu/cpu0/cpufreq/scaling_governor").strip(),
        memory_bytes=int(psutil.virtual_memory().total),
        kernel=platform.release(),
        operating_system=_os_name(),
        virtualization="virtual machine" if " hypervisor" in cpuinfo else "",
        engine=f"{engine.name} {engine.version} ({engine.endpoint}, {engine.storage_driver})",
        cgroup_version=engine.cgroup_version,
    )


def _steal_ticks(stat: str) -> int | None:
    """Field 8 of the cpu line, see proc(5)."""
    fields = stat.partition("\n")[0].split()
    return int(fields[8]) if len(fields) > 8 and fields[0] == "cpu" else None


def _field(text: str, name: str) -> str:
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return platform.system()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
