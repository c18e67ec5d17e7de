"""Disturbances of the host around a run, by stated rules; flagged runs still count.

A disturbance hits the arms of a block by chance, so leaving runs out by a rule that
looks at the host would be honest, and yet a reader could not tell it from leaving out
what does not fit. They are flagged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kit.judge.throttling import throttled_us
from kit.records.session import RunEntry

STOLEN_SHARE = 0.02
"""Of the CPU time of the run, taken by the hypervisor."""
BUSY_CPUS = 0.2
"""Work of others just before the run, in CPUs."""
SWAPPED_PAGES = 256
FREQUENCY_SHARE = 0.1
"""Change of the mean frequency from before to after."""
SUSPENDED_S = 0.1
"""No machine sleeps for less; the clocks that tell it agree to far below a millisecond."""


@dataclass(frozen=True)
class Stolen:
    """Part of the run's CPU time that the hypervisor took."""

    share: float


@dataclass(frozen=True)
class OthersBusy:
    """CPUs that others kept busy just before the run."""

    cpus: float


@dataclass(frozen=True)
class Swapped:
    """Pages swapped in or out."""

    pages: int


@dataclass(frozen=True)
class SlowedForHeat:
    """How often a core was."""

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
    """How many others ran."""

    running: int


@dataclass(frozen=True)
class Slept:
    """Seconds for which the machine did."""

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
    """A run and what disturbed it."""

    run_id: str
    what: Disturbance


def flags(entries: Sequence[RunEntry], cpus: int) -> tuple[Flag, ...]:
    """Return every disturbance of every run.

    A run is judged by the CPUs of the machine it ran on; ``cpus`` are the header's host's,
    for runs that do not say.
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
