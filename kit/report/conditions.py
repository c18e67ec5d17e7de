"""The conditions of a session in words: its origin, what disturbed it, and the runs left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.filesize import decimal

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
from kit.judge.missing import Lack, NoArm, NoUsableRun, Unplannable
from kit.judge.pairing import (
    Exclusion,
    ExclusionReason,
    NeverRan,
    NoPartner,
    PartnerFailed,
    RunEnded,
    RunFailed,
    SeveralMachines,
)
from kit.judge.statistics import Estimate, NoFits, TimeNotFinite, TimeNotPositive
from kit.plan.resources import note_text
from kit.plan.roles import MAIN
from kit.records.host import EngineFacts
from kit.records.images import Component
from kit.records.session import Header, MergedShard

TORN = "An interruption cut off the last line of the log; kit ignores this line."
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


@dataclass(frozen=True)
class LeftOut:
    """A run that does not count, with the reason as text. Block -1: it is of no block."""

    block: int
    arm: str
    run_id: str
    reason: str
    role: str


def engine_text(engine: EngineFacts) -> str:
    """Return the engine's name and version, its endpoint and its storage driver."""
    where = ", ".join(filter(None, (engine.endpoint, engine.storage_driver)))
    named = f"{engine.name} {engine.version}".strip()
    return f"{named} ({where})" if where else named


def substitute_text(row: Component) -> str:
    """Return why a component's version was used, and why each better choice was not available."""
    return f"{row.why} ({'; '.join(row.details)})" if row.details else row.why


def shard_text(made: MergedShard) -> str:
    """Return a line on a shard of a merged session: session id, machine and resources per run."""
    return (
        f"{made.shard}: session {made.session_id} on {made.cpu_model or 'an unknown CPU'}, CPUs "
        f"{made.cpuset} of {made.cpus}, {decimal(made.memory_bytes)} per run"
        + (f", {made.gpu}" if made.gpu else "")
    )


def merged_text(header: Header) -> str:
    """Return one line on all shards of a merged session; empty for another session."""
    return "; ".join(map(shard_text, header.shards))


def notes(header: Header, torn: bool) -> tuple[str, ...]:
    """Return notes on the plan and on the log; for a merged session, those of every shard.

    ``torn``: the log's last line was incomplete.
    """
    plan = header.plan
    if not header.shards:
        own = (note_text(note, plan.repeats, plan.limits.cpuset) for note in plan.notes)
        return (*own, *((TORN,) if torn else ()))
    return tuple(
        f"shard {made.shard}: {text}"
        for made in header.shards
        for text in _of_shard(made, header, plan.repeats)
    )


def exclusion(reason: ExclusionReason) -> str:
    """Return why a run does not count, as text. Raise TypeError for another value."""
    match reason:
        case NoFits():
            text = "no fits in the record"
        case TimeNotFinite(fit, wall_ns):
            text = f"time of fit {fit} is not finite ({wall_ns})"
        case TimeNotPositive(fit, wall_ns):
            text = f"time of fit {fit} is not positive ({wall_ns} ns)"
        case SeveralMachines(block):
            text = f"block {block} ran on several machines"
        case RunFailed(failure):
            text = f"the run failed: {failure}"
        case RunEnded(exit_code):
            text = f"the run failed: exit code {exit_code}"
        case PartnerFailed():
            text = "the other run of its pair failed"
        case NeverRan():
            text = "planned, but not in the log"
        case NoPartner(block, arm, role):
            named = arm if role == MAIN else f"{arm} {role}"
            text = f"block {block} has no usable run of {named}, so this run has no partner"
        case _:
            raise TypeError(f"unknown reason for an exclusion: {reason!r}")
    return text


def lack(what: Lack) -> str:
    """Return what a variant lacks, as text. Raise TypeError for another value."""
    match what:
        case Unplannable(problem):
            return problem
        case NoArm(stack, variant):
            return f"no {stack} arm of variant {variant} in the plan"
        case NoUsableRun(arm, ()):
            return f"no usable run of {arm}"
        case NoUsableRun(arm, reasons):
            why = f"{len(reasons)} excluded: {exclusion(reasons[0])}"
            return f"no usable run of {arm} ({why})"
        case _:
            raise TypeError(f"unknown reason for a missing variant: {what!r}")


def estimate_note(estimate: Estimate) -> str:
    """Return what an estimate lacks, as text; empty if it lacks nothing."""
    parts = []
    if estimate.unrecorded:
        parts.append(f"not recorded in block {', '.join(map(str, estimate.unrecorded))}")
    if estimate.pairs == 0:
        parts.append("no complete pair")
    if estimate.pairs == 1:
        parts.append("no interval: the spread needs at least two complete pairs")
    if estimate.pairs > 1 and estimate.ratio_interval is None:
        parts.append("no interval: fewer complete pairs than the first look has")
    return "; ".join(parts)


def excluded(exclusions: Sequence[Exclusion]) -> tuple[LeftOut, ...]:
    """Return the excluded runs with their reasons as text, equal ones once.

    They are sorted by block, arm, run and reason.
    """
    rows = dict.fromkeys(
        LeftOut(e.block, e.arm, e.run_id, exclusion(e.reason), e.role) for e in exclusions
    )
    return tuple(sorted(rows, key=lambda row: (row.block, row.arm, row.run_id, row.reason)))


def disturbance(what: Disturbance) -> str:
    """Return a disturbance in words. Raise TypeError for another value."""
    match what:
        case Stolen(share):
            text = f"the hypervisor stole {share:.1%} of the CPU time"
        case OthersBusy(cpus):
            text = f"other processes kept {cpus:.1f} CPUs busy just before the run"
        case Swapped(pages):
            text = f"{pages} pages swapped"
        case SlowedForHeat(times):
            text = f"thermal throttling, {times} times"
        case FrequencyChanged(before, after):
            text = f"the CPU frequency went from {before:.0f} to {after:.0f} MHz"
        case HeldBack(seconds):
            text = f"a CPU quota throttled kit for {seconds:.2f} s"
        case OtherContainers(running):
            text = f"{running} other containers ran"
        case Slept(seconds):
            text = f"the host was suspended for {seconds:.1f} s"
        case Throttled(cpu_seconds):
            text = f"a CPU quota throttled the container for {cpu_seconds:.2f} CPU s"
        case _:
            raise TypeError(f"unknown disturbance: {what!r}")
    return text


def _of_shard(made: MergedShard, header: Header, repeats: int) -> Iterator[str]:
    yield from (note_text(note, repeats, made.cpuset) for note in made.notes)
    if made.torn:
        yield TORN
    for arm, names in made.differing.items():
        yield (
            f"the identity run of {arm} differs in {' and '.join(names)} from that of shard "
            f"{header.shards[0].shard}, which the report shows"
        )
