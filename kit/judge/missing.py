"""Things that a variant lacks for its claims on both stacks to be tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kit.judge.pairing import ArmPair, Exclusion, ExclusionReason
from kit.judge.statistics import RunStatistics
from kit.records.session import Session
from kit.study.model import Study, Variant


@dataclass(frozen=True)
class Unplannable:
    """A problem with the GPU for which kit could not plan the variant on this machine."""

    problem: str


@dataclass(frozen=True)
class NoArm:
    """A stack and variant of which the plan has no arm."""

    stack: str
    variant: Variant


@dataclass(frozen=True)
class NoUsableRun:
    """An arm without a usable run. ``reasons`` are those of its excluded runs, in their order."""

    arm: str
    reasons: tuple[ExclusionReason, ...]


Lack = Unplannable | NoArm | NoUsableRun


def missing(
    session: Session,
    study: Study,
    pair: ArmPair,
    runs: Sequence[RunStatistics],
    exclusions: Sequence[Exclusion],
) -> tuple[Lack, ...]:
    """Return what a claim about both stacks lacks: an arm of the plan, or a usable run of it.

    If the variant could not be planned at all, return every problem of the GPU.
    """
    gpu = session.header.gpu
    if gpu is not None and not pair.arms():
        return tuple(Unplannable(problem.what) for problem in gpu.problems)
    found: list[Lack] = []
    for stack, arm in ((study.baseline, pair.baseline), (study.contender, pair.contender)):
        if arm is None:
            found.append(NoArm(stack, pair.variant))
        elif not any(run.arm == arm for run in runs):
            found.append(NoUsableRun(arm, tuple(e.reason for e in exclusions if e.arm == arm)))
    return tuple(found)
