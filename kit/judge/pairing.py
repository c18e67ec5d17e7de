"""Selection of the runs to compare: pairs of arms, usable runs, complete blocks.

Every run that is not compared is returned as an ``Exclusion`` with its reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kit.errors import InputError
from kit.judge.statistics import (
    Estimate,
    RunStatistics,
    Unusable,
    estimate,
    run_statistics,
    value_of,
    why_unusable,
)
from kit.plan.model import TIMED, Looks
from kit.plan.roles import MAIN, RoleName
from kit.records.planned import refuse_run_mismatches
from kit.records.session import RunEntry, Session
from kit.study.model import Arm, Study, Variant, by_stack_and_variant


@dataclass(frozen=True)
class ArmPair:
    """The two arms of one variant. None: the plan does not hold that arm."""

    variant: Variant
    baseline: str | None
    contender: str | None

    def arms(self) -> tuple[str, ...]:
        """Return the arms that the plan holds, the baseline first."""
        return tuple(arm for arm in (self.baseline, self.contender) if arm is not None)


@dataclass(frozen=True)
class SeveralMachines:
    """A block whose runs were made on several machines."""

    block: int


@dataclass(frozen=True)
class RunFailed:
    """A run that ended without a record, with the log's reason."""

    failure: str


@dataclass(frozen=True)
class RunEnded:
    """A run that ended without a record; the log has only its exit code."""

    exit_code: int | None


@dataclass(frozen=True)
class PartnerFailed:
    """A run whose partner failed, so that it did not run together with one."""


@dataclass(frozen=True)
class NeverRan:
    """A planned run that the log does not have."""


@dataclass(frozen=True)
class NoPartner:
    """A run whose block has no usable run of that arm and role to compare it with."""

    block: int
    arm: str
    role: RoleName


ExclusionReason = (
    Unusable | SeveralMachines | RunFailed | RunEnded | PartnerFailed | NeverRan | NoPartner
)


@dataclass(frozen=True)
class Exclusion:
    """A run that does not count, and the reason. Block -1: the run is not of a block."""

    block: int
    arm: str
    run_id: str
    reason: ExclusionReason
    role: RoleName = MAIN


@dataclass(frozen=True)
class PairedBlock:
    """A complete block: one usable run of either arm, or of a control and its partner."""

    block: int
    baseline: RunStatistics
    contender: RunStatistics


def arm_pairs(session: Session, study: Study) -> tuple[ArmPair, ...]:
    """Return one pair per variant of the plan, in the plan's order.

    Last comes an empty pair for a variant that was requested and could not be planned.
    Raise InputError for an arm that is not in the study, and for two arms of the same
    stack and variant.
    """
    planned = [_arm(name, study) for name in session.header.plan.arms]
    found = by_stack_and_variant(planned, f"the plan of session {session.header.session_id}")
    gpu = session.header.gpu
    asked = [study.arms[n] for n in (gpu.untestable if gpu is not None else ()) if n in study.arms]
    variants = dict.fromkeys(arm.variant for arm in (*planned, *asked))
    baseline, contender = study.baseline, study.contender
    return tuple(
        ArmPair(v, _name(found.get((baseline, v))), _name(found.get((contender, v))))
        for v in variants
    )


def _arm(name: str, study: Study) -> Arm:
    arm = study.arms.get(name)
    if arm is None:
        raise InputError(
            f"plan: arm {name!r} is not an arm of study {study.id}",
            "report the session with the study it was measured for",
        )
    return arm


def _name(arm: Arm | None) -> str | None:
    return None if arm is None else arm.name


def usable_runs(session: Session) -> tuple[tuple[RunStatistics, ...], tuple[Exclusion, ...]]:
    """Return the usable timed runs, in the order they ran, and the excluded ones.

    Raise InputError if the log's runs are not those of its plan, each valid one once.
    """
    refuse_run_mismatches(session)
    good: list[RunStatistics] = []
    out: list[Exclusion] = []
    machines = _machines(session)
    valid = session.valid_entry_indices()
    for index, entry in enumerate(session.entries):
        if entry.kind != TIMED:
            continue
        reason = _why_not(entry, machines)
        if reason is None and index not in valid:
            reason = PartnerFailed()
        if reason is not None:
            out.append(_excluded(entry, reason))
        elif entry.record is not None:
            good.append(run_statistics(entry, entry.record))
    out.extend(_never_run(session))
    return tuple(good), tuple(out)


def _excluded(entry: RunEntry, reason: ExclusionReason) -> Exclusion:
    return Exclusion(entry.block, entry.arm, entry.run_id, reason, entry.role)


def _machines(session: Session) -> dict[int, set[str]]:
    """Return the machines each block ran on: a ratio across two does not compare the arms."""
    found: dict[int, set[str]] = {}
    for entry in session.entries:
        if entry.kind == TIMED and entry.record is not None:
            found.setdefault(entry.block, set()).add(entry.machine)
    return found


def _why_not(entry: RunEntry, machines: Mapping[int, set[str]]) -> ExclusionReason | None:
    if len(machines.get(entry.block, ())) > 1:
        return SeveralMachines(entry.block)
    if entry.record is None:
        return RunFailed(entry.failure) if entry.failure else RunEnded(entry.exit_code)
    return why_unusable(entry.record)


def _never_run(session: Session) -> list[Exclusion]:
    ran = {(e.block, e.arm, e.role) for e in session.entries if e.kind == TIMED}
    return [
        Exclusion(run.block, run.arm, run.run_id, NeverRan(), run.role)
        for run in session.due_runs()
        if run.kind == TIMED and (run.block, run.arm, run.role) not in ran
    ]


Slot = tuple[str, RoleName]
"""An arm and the role of its run."""


def pair_blocks(
    runs: Sequence[RunStatistics], first: Slot, second: Slot
) -> tuple[tuple[PairedBlock, ...], tuple[Exclusion, ...]]:
    """Return the blocks that hold a run of both slots, and the runs without a partner.

    ``first`` takes the baseline's place in a pair.
    """
    by_slot = {(run.block, run.arm, run.role): run for run in runs}
    complete: list[PairedBlock] = []
    out: list[Exclusion] = []
    for block in sorted({run.block for run in runs if (run.arm, run.role) in (first, second)}):
        baseline = by_slot.get((block, *first))
        contender = by_slot.get((block, *second))
        if baseline is not None and contender is not None:
            complete.append(PairedBlock(block, baseline, contender))
            continue
        for run, missing in ((baseline, second), (contender, first)):
            if run is not None:
                reason = NoPartner(block, *missing)
                out.append(Exclusion(block, run.arm, run.run_id, reason, run.role))
    return tuple(complete), tuple(out)


def main_blocks(
    runs: Sequence[RunStatistics], pair: ArmPair
) -> tuple[tuple[PairedBlock, ...], tuple[Exclusion, ...]]:
    """Return the blocks that a pair of arms is judged on, and the pair's runs without a partner.

    The blocks pair both stacks' main runs.
    """
    if pair.baseline is None or pair.contender is None:
        return (), ()
    return pair_blocks(runs, (pair.baseline, MAIN), (pair.contender, MAIN))


def log_ratios(statistic: str, blocks: Sequence[PairedBlock]) -> list[float]:
    """Return log(baseline/contender) of every block in which both recorded the statistic.

    Raise InputError for an unknown statistic.
    """
    values = ((value_of(b.baseline, statistic), value_of(b.contender, statistic)) for b in blocks)
    return [math.log(b) - math.log(c) for b, c in values if b is not None and c is not None]


def estimate_over(
    statistic: str, blocks: Sequence[PairedBlock], looks: Looks | None = None
) -> Estimate:
    """Return the estimate of one statistic over complete blocks, with the interval of ``looks``.

    It leaves out the blocks in which the statistic was not recorded. Raise InputError for an
    unknown statistic.
    """
    pairs: list[tuple[float, float]] = []
    without: list[int] = []
    for block in blocks:
        baseline = value_of(block.baseline, statistic)
        contender = value_of(block.contender, statistic)
        if baseline is None or contender is None:
            without.append(block.block)
        else:
            pairs.append((baseline, contender))
    return estimate(statistic, pairs, tuple(without), looks)
