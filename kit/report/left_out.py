"""Exclusions and missing things in words: runs, a variant's arms, blocks of an estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
from kit.plan.roles import MAIN


def exclusion(reason: ExclusionReason) -> str:
    """Return why a run does not count, as text. Raise TypeError for another value."""
    match reason:
        case NoFits():
            text = "the record holds no fits"
        case TimeNotFinite(fit, wall_ns):
            text = f"fit {fit} has a time that is not finite ({wall_ns})"
        case TimeNotPositive(fit, wall_ns):
            text = f"fit {fit} has a time that is not positive ({wall_ns} ns)"
        case SeveralMachines(block):
            text = f"block {block} ran on several machines"
        case RunFailed(failure):
            text = f"the run failed: {failure}"
        case RunEnded(exit_code):
            text = f"the run failed: exit code {exit_code}"
        case PartnerFailed():
            text = "the other of its pair failed, so it ran without a partner"
        case NeverRan():
            text = "planned, but the log has no such run"
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
            return f"the plan holds no {stack} arm of variant {variant}"
        case NoUsableRun(arm, ()):
            return f"no usable run of {arm}"
        case NoUsableRun(arm, reasons):
            why = f"{len(reasons)} left out; {exclusion(reasons[0])}"
            return f"no usable run of {arm} ({why})"
        case _:
            raise TypeError(f"unknown reason for a missing variant: {what!r}")


def estimate_note(estimate: Estimate) -> str:
    """Return what an estimate lacks, as text; empty: nothing."""
    parts = []
    if estimate.unrecorded:
        parts.append(f"not recorded in block {', '.join(map(str, estimate.unrecorded))}")
    if estimate.pairs == 0:
        parts.append("no complete pair")
    if estimate.pairs == 1:
        parts.append("no interval: the spread needs at least two complete pairs")
    return "; ".join(parts)


@dataclass(frozen=True)
class LeftOut:
    """A run that does not count, with the reason as text. Block -1: not of a block."""

    block: int
    arm: str
    run_id: str
    reason: str
    role: str


def excluded(exclusions: Sequence[Exclusion]) -> tuple[LeftOut, ...]:
    """Return the excluded runs sorted by block, arm, run and reason, equal ones once."""
    rows = dict.fromkeys(
        LeftOut(e.block, e.arm, e.run_id, exclusion(e.reason), e.role) for e in exclusions
    )
    return tuple(sorted(rows, key=lambda row: (row.block, row.arm, row.run_id, row.reason)))
