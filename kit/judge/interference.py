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
class Flag:
    """A run and what disturbed it."""

    run_id: str
    what: str


@dataclass(frozen=True)
class Rule:
    """``means`` is for the reader; ``find`` says what it found, "" for nothing."""

    means: str
    find: Callable[[RunEntry, int], str]


def flags(entries: Sequence[RunEntry], cpus: int) -> tuple[Flag, ...]:
    """Return every disturbance of every run.

    A run is judged by the CPUs of the machine it ran on; ``cpus`` are the header's host's,
    for runs that do not say.
    """
    return tuple(
        Flag(entry.run_id, what)
        for entry in entries
        for what in (rule.find(entry, cpus if entry.cpus is None else entry.cpus) for rule in RULES)
        if what
    )


def _stolen(entry: RunEntry, cpus: int) -> str:
    ticks, seconds = entry.host.steal_ticks, entry.awake_seconds
    if ticks is None or not seconds or not cpus:
        return ""
    share = ticks / 100 / (seconds * cpus)
    return f"{share:.1%} of the CPU time stolen by the hypervisor" if share > STOLEN_SHARE else ""


def _busy(entry: RunEntry, _cpus: int) -> str:
    busy = entry.host.busy_cpus_before
    return f"others kept {busy:.1f} CPUs busy just before" if busy > BUSY_CPUS else ""


def _swapping(entry: RunEntry, _cpus: int) -> str:
    pages = entry.host.swapped_pages
    return f"{pages} pages swapped" if pages is not None and pages > SWAPPED_PAGES else ""


def _throttled(entry: RunEntry, _cpus: int) -> str:
    events = entry.host.throttle_events
    return f"slowed for heat {events} times" if events else ""


def _frequency(entry: RunEntry, _cpus: int) -> str:
    before, after = entry.host.frequency_mhz_before, entry.host.frequency_mhz_after
    if not before or not after or abs(after - before) / before <= FREQUENCY_SHARE:
        return ""
    return f"the CPUs' frequency went from {before:.0f} to {after:.0f} MHz"


def _quota(entry: RunEntry, _cpus: int) -> str:
    held = entry.host.quota_throttled_us
    return f"held back {held / 1e6:.2f} s by a CPU quota" if held else ""


def _others(entry: RunEntry, _cpus: int) -> str:
    others = entry.host.other_containers
    return f"{others} other containers ran" if others else ""


def _limited(entry: RunEntry, _cpus: int) -> str:
    held = throttled_us(entry.record)
    return f"throttled for {held / 1e6:.2f} CPU s by a quota set from outside" if held else ""


def _suspended(entry: RunEntry, _cpus: int) -> str:
    slept = entry.host.suspended_s
    return f"the machine slept for {slept:.1f} s" if slept and slept > SUSPENDED_S else ""


RULES = (
    Rule(f"more than {STOLEN_SHARE:.0%} of the run's CPU time stolen by the hypervisor", _stolen),
    Rule(f"others kept more than {BUSY_CPUS:g} CPUs busy just before it", _busy),
    Rule(f"more than {SWAPPED_PAGES} pages swapped in or out", _swapping),
    Rule("a core slowed for heat", _throttled),
    Rule(f"the CPUs' frequency changed by more than {FREQUENCY_SHARE:.0%}", _frequency),
    Rule("the driver's own cgroup held back by a CPU quota", _quota),
    Rule("another container running", _others),
    Rule("the machine slept", _suspended),
    Rule("the container throttled by a CPU quota, which kit never sets", _limited),
)
