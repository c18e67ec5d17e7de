"""Facts on the machine that the driver runs on, and conditions that disturb its runs."""

from __future__ import annotations

import hmac
import os
import platform
import re
import shlex
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from kit.engine.protocol import EngineInfo
from kit.plan.resources import cpus_of
from kit.records.host import EngineFacts, HostConditions, HostFacts

BUSY_WINDOW_S = 0.25
_INSTALLATION = Path("/etc/machine-id")
PROC = Path("/proc")
SYS = Path("/sys")
CGROUP = SYS / "fs/cgroup"
_IDLE, _IOWAIT, _STEAL, _GUEST = 3, 4, 7, 8


@dataclass(frozen=True)
class HostReading:
    """The host at one moment; counters are since boot, None if unknown.

    ``busy_cpus`` is the work done during the reading, in CPUs; ``steal_ticks`` are in 1/100 s
    over all CPUs.
    """

    load_1m: float
    available_bytes: int
    steal_ticks: int | None
    busy_cpus: float = 0.0
    swapped_pages: int | None = None
    throttle_events: int | None = None
    frequency_mhz: float | None = None
    quota_throttled_us: int | None = None
    suspended_s: float | None = None


class Host(Protocol):
    """An interface to the machine: the parts that measuring needs."""

    def read(self) -> HostReading:
        """Return the host's state now; takes a fraction of a second, to measure how busy it is."""
        ...

    def cores(self) -> tuple[tuple[int, ...], ...]:
        """Return the CPUs of each core; empty if unknown."""
        ...


class LocalHost:
    """The machine that this process runs on, as a ``Host``."""

    def read(self) -> HostReading:
        """Return the host's state now."""
        ticks = cpu_ticks(text(PROC / "stat"))
        return HostReading(
            load_1m=os.getloadavg()[0],
            available_bytes=int(psutil.virtual_memory().available),
            steal_ticks=None if ticks is None else ticks[1],
            busy_cpus=busy_cpus(lambda: text(PROC / "stat"), time.sleep, BUSY_WINDOW_S),
            swapped_pages=swapped_pages(),
            throttle_events=throttle_events(),
            frequency_mhz=frequency_mhz(),
            quota_throttled_us=quota_throttled_us(),
            suspended_s=suspended_s(),
        )

    def cores(self) -> tuple[tuple[int, ...], ...]:
        """Return the CPUs of each core; empty if unknown."""
        return cores()


def conditions_between(before: HostReading, after: HostReading, others: int) -> HostConditions:
    """Return the host's conditions during a run, from the readings just before and after it.

    ``others`` counts the containers that do not belong to the run.
    """
    return HostConditions(
        load_1m_before=before.load_1m,
        load_1m_after=after.load_1m,
        available_bytes_before=before.available_bytes,
        steal_ticks=_grown(before.steal_ticks, after.steal_ticks),
        busy_cpus_before=before.busy_cpus,
        swapped_pages=_grown(before.swapped_pages, after.swapped_pages),
        throttle_events=_grown(before.throttle_events, after.throttle_events),
        frequency_mhz_before=before.frequency_mhz,
        frequency_mhz_after=after.frequency_mhz,
        quota_throttled_us=_grown(before.quota_throttled_us, after.quota_throttled_us),
        other_containers=others,
        suspended_s=_slept(before.suspended_s, after.suspended_s),
    )


def host_id(facts: HostFacts, installation: str) -> str:
    """Return a machine's id, 12 hex digits of a hash of its CPUs, memory, kernel, installation.

    ``installation`` is the key of the hash, which does not reveal it, as machine-id(5) requires.
    It distinguishes machines with equal hardware.
    """
    known = f"{facts.cpu_model}|{facts.cpus}|{facts.memory_bytes}|{facts.kernel}"
    return hmac.digest(installation.encode(), known.encode(), "sha256").hex()[:12]


def local_host_id(engine: EngineInfo) -> str:
    """Return the id of the machine that this process runs on."""
    return host_id(host_facts(engine), systemd_machine_id())


def systemd_machine_id() -> str:
    """Return systemd's id of the installed system, machine-id(5); "" without one."""
    return text(_INSTALLATION).strip()


def host_facts(engine: EngineInfo) -> HostFacts:
    """Return facts on the host and its engine for a session's header; unknown ones are empty."""
    cpuinfo = text(PROC / "cpuinfo")
    return HostFacts(
        cpu_model=_field(cpuinfo, "model name"),
        cpus=os.cpu_count() or 0,
        governor=", ".join(governors()),
        memory_bytes=int(psutil.virtual_memory().total),
        kernel=platform.release(),
        operating_system=_os_name(),
        virtualization="virtual machine" if " hypervisor" in cpuinfo else "",
        engine=EngineFacts(engine.name, engine.version, engine.endpoint, engine.storage_driver),
        cgroup_version=engine.cgroup_version,
    )


def cpu_ticks(stat: str) -> tuple[int, int] | None:
    """Return the busy and the stolen ticks of all CPUs since boot, from /proc/stat's text.

    None for a text without its cpu line, see proc(5).
    """
    fields = stat.partition("\n")[0].split()
    if len(fields) <= _GUEST or fields[0] != "cpu":
        return None
    ticks = [int(field) for field in fields[1:]]
    # Guest time is counted as user time too.
    busy = sum(ticks[:_GUEST]) - ticks[_IDLE] - ticks[_IOWAIT] - ticks[_STEAL]
    return busy, ticks[_STEAL]


def busy_cpus(read: Callable[[], str], wait: Callable[[float], None], window_s: float) -> float:
    """Return the mean number of busy CPUs during ``window_s`` seconds; 0 if unknown.

    ``read`` returns the content of /proc/stat, ``wait`` sleeps.
    """
    before = cpu_ticks(read())
    wait(window_s)
    after = cpu_ticks(read())
    if before is None or after is None:
        return 0.0
    return (after[0] - before[0]) / 100 / window_s


def swapped_pages() -> int | None:
    """Return the pages swapped in or out since boot, by /proc/vmstat; None if unknown."""
    found = dict(re.findall(r"^(pswpin|pswpout) (\d+)$", text(PROC / "vmstat"), re.MULTILINE))
    return sum(int(pages) for pages in found.values()) if found else None


def throttle_events() -> int | None:
    """Return how often heat throttled a core or package since boot (Intel); None if unknown."""
    counts = [
        text(path)
        for name in ("core_throttle_count", "package_throttle_count")
        for path in SYS.glob(f"devices/system/cpu/cpu[0-9]*/thermal_throttle/{name}")
    ]
    return sum(int(count) for count in counts if count.strip().isdigit()) if counts else None


def frequency_mhz() -> float | None:
    """Return the CPUs' mean frequency now in MHz; None if unknown."""
    rates = [text(p) for p in SYS.glob("devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq")]
    known = [int(rate) / 1000 for rate in rates if rate.strip().isdigit()]
    return sum(known) / len(known) if known else None


def governors() -> tuple[str, ...]:
    """Return the frequency governors of the CPUs, each once, sorted; empty if unknown."""
    paths = SYS.glob("devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor")
    return tuple(sorted({text(path).strip() for path in paths} - {""}))


def quota_throttled_us() -> int | None:
    """Return the microseconds that a CPU quota throttled the driver's own cgroup.

    By cgroup v2, else v1; None if unknown.
    """
    for path, name, unit in (
        (CGROUP / "cpu.stat", "throttled_usec", 1),
        (CGROUP / "cpu/cpu.stat", "throttled_time", 1000),
    ):
        found = re.search(rf"^{name} (\d+)$", text(path), re.MULTILINE)
        if found:
            return int(found[1]) // unit
    return None


def suspended_s() -> float | None:
    """Return the seconds since boot that the machine was suspended, by clock_gettime(2).

    None if unknown.
    """
    try:
        return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
    except (AttributeError, OSError):
        return None


def cores() -> tuple[tuple[int, ...], ...]:
    """Return the CPUs of each core; empty if unknown."""
    found = set()
    for path in SYS.glob("devices/system/cpu/cpu[0-9]*/topology/thread_siblings_list"):
        with suppress(ValueError):
            found.add(cpus_of(text(path).strip()))
    return tuple(sorted(found))


def text(path: Path) -> str:
    """Return the text of a small file; empty where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def parse_os_release(text: str) -> dict[str, str]:
    """Return the unquoted values of /etc/os-release's text by name, without malformed lines."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if not equals or name.startswith("#"):
            continue
        try:
            fields[name] = " ".join(shlex.split(value))
        except ValueError:
            continue
    return fields


def _grown(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else after - before


def _slept(before: float | None, after: float | None) -> float | None:
    # To milliseconds, and never below 0: the two clocks are not read at the same moment.
    return None if before is None or after is None else max(round(after - before, 3), 0.0)


def _field(lines: str, name: str) -> str:
    for line in lines.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return platform.system()
