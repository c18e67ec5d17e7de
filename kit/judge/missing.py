"""What a variant lacks for its claims on both stacks to be tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kit.judge.pairing import ArmPair, Exclusion, ExclusionReason
from kit.judge.statistics import RunStatistics
from kit.records.session import Session
from kit.study.model import Study, Variant


@dataclass(frozen=True)
class Unplannable:
    """The variant could not be planned on this machine: what the check of its GPU found."""

    problem: str


@dataclass(frozen=True)
class NoArm:
    """The plan holds no arm of that stack and variant."""

    stack: str
    variant: Variant


@dataclass(frozen=True)
class NoUsableRun:
    """No run of the arm counts. ``reasons``: of those that were left out, in their order."""

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
    """Return what a claim about both stacks lacks: an arm of the plan, or any good run of it.

    Of a variant that could not be planned at all: every reason for that.
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
