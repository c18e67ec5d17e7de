"""Counters and settings of the Linux kernel that show what disturbs a host."""

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
    """Return busy and stolen ticks of all CPUs since boot, by the cpu line of proc(5).

    None for a text without that line.
    """
    fields = stat.partition("\n")[0].split()
    if len(fields) <= _GUEST or fields[0] != "cpu":
        return None
    ticks = [int(field) for field in fields[1:]]
    # Guest time is counted as user time too.
    busy = sum(ticks[:_GUEST]) - ticks[_IDLE] - ticks[_IOWAIT] - ticks[_STEAL]
    return busy, ticks[_STEAL]


def busy_cpus(read: Callable[[], str], wait: Callable[[float], None], window_s: float) -> float:
    """Return the work done in a window of time, in CPUs; 0 if unknown.

    ``read`` returns the content of /proc/stat.
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
    """Return the seconds of suspension since boot, by clock_gettime(2); None if unknown."""
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
    """Return a small file's text; empty where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
