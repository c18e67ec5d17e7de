"""Disturbances of the host around a run, by fixed rules; flagged runs still count.

A disturbance hits the arms of a block by chance, so excluding runs by a rule on the host
would be honest. But a reader could not distinguish that from excluding unwelcome results,
so kit flags the runs instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kit.judge.throttling import throttled_us
from kit.records.session import RunEntry

STOLEN_SHARE = 0.02
"""Fraction of the run's CPU time that the hypervisor took."""
BUSY_CPUS = 0.2
"""CPUs kept busy by other processes just before the run."""
SWAPPED_PAGES = 256
FREQUENCY_SHARE = 0.1
"""Relative change of the mean frequency from before to after."""
SUSPENDED_S = 0.1
"""No machine sleeps for less; the clocks compared agree to far below a millisecond."""


@dataclass(frozen=True)
class Stolen:
    """The fraction of the run's CPU time that the hypervisor took."""

    share: float


@dataclass(frozen=True)
class OthersBusy:
    """CPUs that other processes kept busy just before the run."""

    cpus: float


@dataclass(frozen=True)
class Swapped:
    """Pages swapped in or out."""

    pages: int


@dataclass(frozen=True)
class SlowedForHeat:
    """Number of times that a core was slowed for heat."""

    times: int


@dataclass(frozen=True)
class FrequencyChanged:
    """Mean frequency of the CPUs, before and after."""

    before_mhz: float
    after_mhz: float


@dataclass(frozen=True)
class HeldBack:
    """Seconds for which a CPU quota held back the driver's own cgroup."""

    seconds: float


@dataclass(frozen=True)
class OtherContainers:
    """Number of running containers that are not of the session."""

    running: int


@dataclass(frozen=True)
class Slept:
    """Seconds for which the machine slept."""

    seconds: float


@dataclass(frozen=True)
class Throttled:
    """CPU seconds for which a quota that kit did not set throttled the container."""

    cpu_seconds: float


Disturbance = (
    Stolen
    | OthersBusy
    | Swapped
    | SlowedForHeat
    | FrequencyChanged
    | HeldBack
    | OtherContainers
    | Slept
    | Throttled
)


@dataclass(frozen=True)
class Flag:
    """A run and one disturbance of it."""

    run_id: str
    what: Disturbance


def flags(entries: Sequence[RunEntry], cpus: int) -> tuple[Flag, ...]:
    """Return every disturbance of every run in the log.

    ``cpus`` is the number of the header's host, for runs without the number of their machine.
    """
    return tuple(
        Flag(entry.run_id, what)
        for entry in entries
        for what in (rule(entry, cpus if entry.cpus is None else entry.cpus) for rule in RULES)
        if what is not None
    )


def _stolen(entry: RunEntry, cpus: int) -> Stolen | None:
    ticks, seconds = entry.host.steal_ticks, entry.awake_seconds
    if ticks is None or not seconds or not cpus:
        return None
    share = ticks / 100 / (seconds * cpus)
    return Stolen(share) if share > STOLEN_SHARE else None


def _busy(entry: RunEntry, _cpus: int) -> OthersBusy | None:
    busy = entry.host.busy_cpus_before
    return OthersBusy(busy) if busy > BUSY_CPUS else None


def _swapping(entry: RunEntry, _cpus: int) -> Swapped | None:
    pages = entry.host.swapped_pages
    return Swapped(pages) if pages is not None and pages > SWAPPED_PAGES else None


def _heat(entry: RunEntry, _cpus: int) -> SlowedForHeat | None:
    events = entry.host.throttle_events
    return SlowedForHeat(events) if events else None


def _frequency(entry: RunEntry, _cpus: int) -> FrequencyChanged | None:
    before, after = entry.host.frequency_mhz_before, entry.host.frequency_mhz_after
    if not before or not after or abs(after - before) / before <= FREQUENCY_SHARE:
        return None
    return FrequencyChanged(before, after)


def _quota(entry: RunEntry, _cpus: int) -> HeldBack | None:
    held = entry.host.quota_throttled_us
    return HeldBack(held / 1e6) if held else None


def _others(entry: RunEntry, _cpus: int) -> OtherContainers | None:
    others = entry.host.other_containers
    return OtherContainers(others) if others else None


def _suspended(entry: RunEntry, _cpus: int) -> Slept | None:
    slept = entry.host.suspended_s
    return Slept(slept) if slept and slept > SUSPENDED_S else None


def _limited(entry: RunEntry, _cpus: int) -> Throttled | None:
    held = throttled_us(entry.record)
    return Throttled(held / 1e6) if held else None


RULES: tuple[Callable[[RunEntry, int], Disturbance | None], ...] = (
    _stolen,
    _busy,
    _swapping,
    _heat,
    _frequency,
    _quota,
    _others,
    _suspended,
    _limited,
)
