"""Disturbances of the host in words: the rules, and the disturbances found."""

from __future__ import annotations

from collections.abc import Mapping

from kit.judge.interference import (
    BUSY_CPUS,
    FREQUENCY_SHARE,
    STOLEN_SHARE,
    SWAPPED_PAGES,
    Disturbance,
    FrequencyChanged,
    HeldBack,
    OtherContainers,
    OthersBusy,
    Slept,
    SlowedForHeat,
    Stolen,
    Swapped,
    Throttled,
)

WATCHED: Mapping[type[Disturbance], str] = {
    Stolen: f"more than {STOLEN_SHARE:.0%} of the run's CPU time stolen by the hypervisor",
    OthersBusy: f"other processes kept more than {BUSY_CPUS:g} CPUs busy just before the run",
    Swapped: f"more than {SWAPPED_PAGES} pages swapped in or out",
    SlowedForHeat: "thermal throttling of a core",
    FrequencyChanged: f"the CPU frequency changed by more than {FREQUENCY_SHARE:.0%}",
    HeldBack: "a CPU quota throttled the cgroup of kit",
    OtherContainers: "another container ran",
    Slept: "the host was suspended",
    Throttled: "a CPU quota throttled the container (kit sets none)",
}
"""The rule behind each disturbance, for the reader."""


def disturbance(what: Disturbance) -> str:
    """Return a disturbance in words. Raise TypeError for another value."""
    match what:
        case Stolen(share):
            text = f"{share:.1%} of the CPU time stolen by the hypervisor"
        case OthersBusy(cpus):
            text = f"others kept {cpus:.1f} CPUs busy just before"
        case Swapped(pages):
            text = f"{pages} pages swapped"
        case SlowedForHeat(times):
            text = f"slowed for heat {times} times"
        case FrequencyChanged(before, after):
            text = f"the CPUs' frequency went from {before:.0f} to {after:.0f} MHz"
        case HeldBack(seconds):
            text = f"held back {seconds:.2f} s by a CPU quota"
        case OtherContainers(running):
            text = f"{running} other containers ran"
        case Slept(seconds):
            text = f"the machine slept for {seconds:.1f} s"
        case Throttled(cpu_seconds):
            text = f"throttled for {cpu_seconds:.2f} CPU s by a quota set from outside"
        case _:
            raise TypeError(f"unknown disturbance: {what!r}")
    return text
