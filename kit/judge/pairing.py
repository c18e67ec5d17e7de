"""Which runs are compared: pairs of arms, usable runs, complete blocks.

Nothing is dropped without a name: every run or block that does not count comes
back as an ``Exclusion`` with its reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kit.errors import InputError
from kit.judge.statistics import (
    Estimate,
    RunStatistics,
    estimate,
    run_statistics,
    value_of,
    why_unusable,
)
from kit.measure.session import RunEntry, Session
from kit.study.model import Study

PYTHON, DOTNET = "python", "dotnet"
"""The two stacks of a claim; a gain is 100 * (python - dotnet) / python."""


@dataclass(frozen=True)
class ArmPair:
    """The two arms of one variant. None: the plan does not hold that arm."""

    variant: str
    python: str | None
    dotnet: str | None

    def arms(self) -> tuple[str, ...]:
        """The arms the plan does hold, python first."""
        return tuple(arm for arm in (self.python, self.dotnet) if arm is not None)


@dataclass(frozen=True)
class Exclusion:
    """A run, or a whole block, that does not count. Block -1: not of a block."""

    block: int
    arm: str
    run_id: str
    reason: str


@dataclass(frozen=True)
class PairedBlock:
    """A complete block: one usable run of either arm."""

    block: int
    python: RunStatistics
    dotnet: RunStatistics


def arm_pairs(session: Session, study: Study) -> tuple[ArmPair, ...]:
    """One pair for every variant of the plan, in the plan's order.

    Last an empty pair for a variant that was asked for and could not be planned.
    Raises InputError for an arm the study does not know.
    """
    found: dict[str, dict[str, str]] = {}
    for name in session.header.plan.arms:
        arm = study.arms.get(name)
        if arm is None:
            raise InputError(
                f"plan: arm {name!r} is not an arm of study {study.id}",
                "report the session with the study it was measured for",
            )
        found.setdefault(arm.variant, {})[arm.stack] = name
    gpu = session.header.gpu
    for name in gpu.untestable if gpu is not None else ():
        if name in study.arms:
            found.setdefault(study.arms[name].variant, {})
    return tuple(ArmPair(v, s.get(PYTHON), s.get(DOTNET)) for v, s in found.items())


def usable_runs(session: Session) -> tuple[tuple[RunStatistics, ...], tuple[Exclusion, ...]]:
    """The timed runs that count, in the order they ran, and those that do not.

    Of several good runs of one arm in one block the last counts: it is the one
    made to replace the others.
    """
    good: dict[tuple[int, str], RunStatistics] = {}
    out: list[Exclusion] = []
    planned = set(session.header.plan.arms)
    for entry in session.entries:
        if entry.kind != "timed":
            continue
        reason = _why_not(entry, planned)
        if reason is not None or entry.record is None:
            out.append(Exclusion(entry.block, entry.arm, entry.run_id, reason or "no record"))
            continue
        slot = (entry.block, entry.arm)
        if slot in good:
            earlier = good.pop(slot)
            why = f"the same arm and block ran again later as {entry.run_id}"
            out.append(Exclusion(earlier.block, earlier.arm, earlier.run_id, why))
        good[slot] = run_statistics(entry, entry.record)
    out.extend(_never_run(session))
    return tuple(good.values()), tuple(out)


def _why_not(entry: RunEntry, planned: Iterable[str]) -> str | None:
    if entry.arm not in planned:
        return "the arm is not part of the plan"
    if entry.record is None:
        return f"the run failed: {entry.failure or f'exit code {entry.exit_code}'}"
    return why_unusable(entry.record)


def _never_run(session: Session) -> list[Exclusion]:
    ran = {(e.block, e.arm) for e in session.entries if e.kind == "timed"}
    return [
        Exclusion(run.block, run.arm, run.run_id, "planned, but the log has no such run")
        for run in session.header.plan.runs
        if run.kind == "timed" and (run.block, run.arm) not in ran
    ]


def pair_blocks(
    runs: Sequence[RunStatistics], pair: ArmPair
) -> tuple[tuple[PairedBlock, ...], tuple[Exclusion, ...]]:
    """The complete blocks of a pair of arms, and the runs left without a partner."""
    by_slot = {(run.block, run.arm): run for run in runs}
    whole: list[PairedBlock] = []
    out: list[Exclusion] = []
    if pair.python is None or pair.dotnet is None:
        return (), ()
    for block in sorted({run.block for run in runs if run.arm in pair.arms()}):
        python = by_slot.get((block, pair.python))
        dotnet = by_slot.get((block, pair.dotnet))
        if python is not None and dotnet is not None:
            whole.append(PairedBlock(block, python, dotnet))
            continue
        for run, missing in ((python, pair.dotnet), (dotnet, pair.python)):
            if run is not None:
                why = f"block {block} has no usable run of {missing}, so this run has no partner"
                out.append(Exclusion(block, run.arm, run.run_id, why))
    return tuple(whole), tuple(out)


def log_ratios(statistic: str, blocks: Sequence[PairedBlock]) -> list[float]:
    """log(python/dotnet) of every block in which both recorded the statistic."""
    values = ((value_of(b.python, statistic), value_of(b.dotnet, statistic)) for b in blocks)
    return [math.log(p) - math.log(d) for p, d in values if p is not None and d is not None]


def estimate_over(statistic: str, blocks: Sequence[PairedBlock]) -> Estimate:
    """The estimate of one statistic over complete blocks.

    A block in which the statistic was not recorded is named in the note.
    """
    pairs: list[tuple[float, float]] = []
    without: list[str] = []
    for block in blocks:
        python = value_of(block.python, statistic)
        dotnet = value_of(block.dotnet, statistic)
        if python is None or dotnet is None:
            without.append(str(block.block))
        else:
            pairs.append((python, dotnet))
    note = f"not recorded in block {', '.join(without)}" if without else ""
    return estimate(statistic, pairs, note)
