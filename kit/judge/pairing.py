"""Which runs are compared: pairs of arms, usable runs, complete blocks.

Nothing is dropped without a name: every run or block that does not count comes
back as an ``Exclusion`` with its reason.
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
from kit.plan.model import TIMED
from kit.plan.roles import MAIN, RoleName
from kit.plan.shard import of_shard
from kit.records.planned import refuse_misfits
from kit.records.session import RunEntry, Session
from kit.study.model import Arm, Study, Variant, by_stack_and_variant


@dataclass(frozen=True)
class ArmPair:
    """The two arms of one variant. None: the plan does not hold that arm."""

    variant: Variant
    baseline: str | None
    contender: str | None

    def arms(self) -> tuple[str, ...]:
        """The arms the plan does hold, the baseline first."""
        return tuple(arm for arm in (self.baseline, self.contender) if arm is not None)


@dataclass(frozen=True)
class SeveralMachines:
    """The block's runs were made on several machines."""

    block: int


@dataclass(frozen=True)
class RunFailed:
    """It ended without a record, and the log says why."""

    failure: str


@dataclass(frozen=True)
class RunEnded:
    """It ended without a record and with that exit code; the log says no more."""

    exit_code: int | None


@dataclass(frozen=True)
class PartnerFailed:
    """The other run of its pair failed, so it did not run beside one."""


@dataclass(frozen=True)
class NeverRan:
    """It was planned, and the log does not have it."""


@dataclass(frozen=True)
class NoPartner:
    """Its block has no usable run of that arm and role to compare it with."""

    block: int
    arm: str
    role: RoleName


ExclusionReason = (
    Unusable | SeveralMachines | RunFailed | RunEnded | PartnerFailed | NeverRan | NoPartner
)


@dataclass(frozen=True)
class Exclusion:
    """A run, or a whole block, that does not count. Block -1: not of a block."""

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
    """One pair for every variant of the plan, in the plan's order.

    Last an empty pair for a variant that was asked for and could not be planned.
    Raises InputError for an arm the study does not know, and for two arms of the same
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
    """The timed runs that count, in the order they ran, and those that do not.

    Raises InputError for a log whose runs are not those of its plan, each good one once.
    """
    refuse_misfits(session)
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
    """The machines that each block ran on: a ratio across two says nothing of the arms."""
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
        for run in of_shard(session.header.plan.runs, session.header.shard)
        if run.kind == TIMED and (run.block, run.arm, run.role) not in ran
    ]


Slot = tuple[str, RoleName]
"""An arm and the role of its run."""


def pair_blocks(
    runs: Sequence[RunStatistics], first: Slot, second: Slot
) -> tuple[tuple[PairedBlock, ...], tuple[Exclusion, ...]]:
    """The blocks that hold a run of both slots, and the runs left without a partner.

    ``first`` takes the baseline's place in a pair.
    """
    by_slot = {(run.block, run.arm, run.role): run for run in runs}
    whole: list[PairedBlock] = []
    out: list[Exclusion] = []
    for block in sorted({run.block for run in runs if (run.arm, run.role) in (first, second)}):
        baseline = by_slot.get((block, *first))
        contender = by_slot.get((block, *second))
        if baseline is not None and contender is not None:
            whole.append(PairedBlock(block, baseline, contender))
            continue
        for run, missing in ((baseline, second), (contender, first)):
            if run is not None:
                alone = NoPartner(block, *missing)
                out.append(Exclusion(block, run.arm, run.run_id, alone, run.role))
    return tuple(whole), tuple(out)


def main_blocks(
    runs: Sequence[RunStatistics], pair: ArmPair
) -> tuple[tuple[PairedBlock, ...], tuple[Exclusion, ...]]:
    """The blocks that the claims are judged on: both stacks' main runs."""
    if pair.baseline is None or pair.contender is None:
        return (), ()
    return pair_blocks(runs, (pair.baseline, MAIN), (pair.contender, MAIN))


def log_ratios(statistic: str, blocks: Sequence[PairedBlock]) -> list[float]:
    """log(baseline/contender) of every block in which both recorded the statistic."""
    values = ((value_of(b.baseline, statistic), value_of(b.contender, statistic)) for b in blocks)
    return [math.log(b) - math.log(c) for b, c in values if b is not None and c is not None]


def estimate_over(statistic: str, blocks: Sequence[PairedBlock]) -> Estimate:
    """The estimate of one statistic over complete blocks.

    A block in which the statistic was not recorded has no part in it.
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
    return estimate(statistic, pairs, tuple(without))
