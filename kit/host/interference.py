"""What disturbs a host, read from the kernel: Linux only, None where it cannot be told."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from kit.plan.cpuset import cpus_of

PROC = Path("/proc")
SYS = Path("/sys")
CGROUP = SYS / "fs/cgroup"
_IDLE, _IOWAIT, _STEAL, _GUEST = 3, 4, 7, 8


def cpu_ticks(stat: str) -> tuple[int, int] | None:
    """Busy ticks and stolen ones, of all CPUs since boot: the cpu line, see proc(5)."""
    fields = stat.partition("\n")[0].split()
    if len(fields) <= _GUEST or fields[0] != "cpu":
        return None
    ticks = [int(field) for field in fields[1:]]
    # Guest time is counted as user time too.
    busy = sum(ticks[:_GUEST]) - ticks[_IDLE] - ticks[_IOWAIT] - ticks[_STEAL]
    return busy, ticks[_STEAL]


def busy_cpus(read: Callable[[], str], wait: Callable[[float], None], window_s: float) -> float:
    """How many CPUs' worth of work is done in a window; 0 where that cannot be told."""
    before = cpu_ticks(read())
    wait(window_s)
    after = cpu_ticks(read())
    if before is None or after is None:
        return 0.0
    return (after[0] - before[0]) / 100 / window_s


def swapped_pages() -> int | None:
    """Pages that went to or came from swap since boot: /proc/vmstat."""
    found = dict(re.findall(r"^(pswpin|pswpout) (\d+)$", text(PROC / "vmstat"), re.MULTILINE))
    return sum(int(pages) for pages in found.values()) if found else None


def throttle_events() -> int | None:
    """Times a core or package was slowed for heat since boot (Intel's counters)."""
    counts = [
        text(path)
        for name in ("core_throttle_count", "package_throttle_count")
        for path in SYS.glob(f"devices/system/cpu/cpu[0-9]*/thermal_throttle/{name}")
    ]
    return sum(int(count) for count in counts if count.strip().isdigit()) if counts else None


def frequency_mhz() -> float | None:
    """The CPUs' mean frequency now."""
    rates = [text(p) for p in SYS.glob("devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq")]
    known = [int(rate) / 1000 for rate in rates if rate.strip().isdigit()]
    return sum(known) / len(known) if known else None


def governors() -> tuple[str, ...]:
    """The frequency governors of the CPUs, each once, sorted; empty where none is to be seen."""
    paths = SYS.glob("devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor")
    return tuple(sorted({text(path).strip() for path in paths} - {""}))


def quota_throttled_us() -> int | None:
    """Microseconds the driver's own cgroup was held back by a CPU quota; v2, then v1."""
    for path, name, unit in (
        (CGROUP / "cpu.stat", "throttled_usec", 1),
        (CGROUP / "cpu/cpu.stat", "throttled_time", 1000),
    ):
        found = re.search(rf"^{name} (\d+)$", text(path), re.MULTILINE)
        if found:
            return int(found[1]) // unit
    return None


def suspended_s() -> float | None:
    """Return the seconds that the machine slept since boot, see clock_gettime(2)."""
    try:
        return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
    except (AttributeError, OSError):
        return None


def cores() -> tuple[tuple[int, ...], ...]:
    """The CPUs of each core; empty where the kernel does not tell."""
    found = set()
    for path in SYS.glob("devices/system/cpu/cpu[0-9]*/topology/thread_siblings_list"):
        with suppress(ValueError):
            found.add(cpus_of(text(path).strip()))
    return tuple(sorted(found))


def text(path: Path) -> str:
    """A small file's text; empty where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
