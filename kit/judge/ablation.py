"""Contrasts that attribute a difference to its causes: one change at a time, block by block.

Each contrast is a mean over blocks of a difference of seconds per fit, with a paired t
interval. Contrasts overlap (kept memory shows as system CPU too), so do not add them up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Literal

from kit.judge.cost import FitNumbers, fit_numbers
from kit.judge.pairing import ArmPair, arm_pairs
from kit.judge.statistics import Interval, half_width
from kit.plan.roles import ALLOCATOR, KEPT, MAIN, PROBE, QUIET, TERMINAL
from kit.records.planned import refuse_run_mismatches
from kit.records.session import Session
from kit.study.model import CPU, Study

ContrastName = Literal[
    "whole", "user CPU", "system CPU", "binding", "inside the library", "progress output",
    "terminal", "memory kept", "allocator", "cold start",
]  # fmt: skip


@dataclass(frozen=True)
class ContrastEstimate:
    """The estimate of one contrast, contender minus baseline, in seconds per fit.

    ``share`` is the fraction of the total difference; None if the interval of the total
    includes 0, or if the contrast is not wall time of a warm fit. explanation.json has the
    fields by these names.
    """

    name: ContrastName
    blocks: int
    seconds: float | None
    interval: Interval | None
    share: float | None

    @property
    def clear(self) -> bool:
        """Return whether the interval of the contrast excludes 0."""
        return self.interval is not None and (self.interval.low > 0 or self.interval.high < 0)


@dataclass(frozen=True)
class Ablation:
    """The contrasts behind the difference between the two CPU arms, and each arm's numbers."""

    pair: ArmPair
    contrasts: tuple[ContrastEstimate, ...]
    numbers: Mapping[tuple[str, str], FitNumbers]
    """By arm and role, means over the blocks."""

    @property
    def total(self) -> ContrastEstimate:
        """Return the contrast of the total difference between the two arms."""
        return self.contrasts[0]


Block = Mapping[tuple[str, str], FitNumbers]
"""The runs of one block, by stack ("b" or "c") and role."""


@dataclass(frozen=True)
class _Contrast:
    name: ContrastName
    needs: tuple[tuple[str, str], ...]
    seconds: Callable[[Block], float | None]
    within: bool = True
    """Whether the contrast is wall time of a warm fit and so has a share in the total."""


B, C = "b", "c"


def _changed(role: str) -> Callable[[Block], float | None]:
    """Return the contrast for a role's change to both stacks: (c - c') - (b - b')."""

    def seconds(block: Block) -> float:
        contender = block[C, MAIN].wall_s - block[C, role].wall_s
        return contender - (block[B, MAIN].wall_s - block[B, role].wall_s)

    return seconds


def _around(block: Block, stack: str) -> float | None:
    run = block[stack, PROBE]
    return None if run.inner_s is None else run.wall_s - run.inner_s


def _binding(block: Block) -> float | None:
    contender, baseline = _around(block, C), _around(block, B)
    return None if contender is None or baseline is None else contender - baseline


def _inside(block: Block) -> float | None:
    contender, baseline = block[C, PROBE].inner_s, block[B, PROBE].inner_s
    return None if contender is None or baseline is None else contender - baseline


_BOTH = ((B, MAIN), (C, MAIN))
CONTRASTS = (
    _Contrast("whole", _BOTH, lambda b: b[C, MAIN].wall_s - b[B, MAIN].wall_s),
    _Contrast("user CPU", _BOTH,
              lambda b: b[C, MAIN].user_s - b[B, MAIN].user_s, within=False),
    _Contrast("system CPU", _BOTH,
              lambda b: b[C, MAIN].system_s - b[B, MAIN].system_s, within=False),
    _Contrast("binding", ((B, PROBE), (C, PROBE)), _binding),
    _Contrast("inside the library", ((B, PROBE), (C, PROBE)), _inside),
    _Contrast("progress output", (*_BOTH, (B, QUIET), (C, QUIET)), _changed(QUIET)),
    _Contrast("terminal", (*_BOTH, (B, TERMINAL), (C, TERMINAL)), _changed(TERMINAL)),
    _Contrast("memory kept", ((B, MAIN), (B, KEPT)),
              lambda b: b[B, KEPT].wall_s - b[B, MAIN].wall_s),
    _Contrast("allocator", (*_BOTH, (B, ALLOCATOR), (C, ALLOCATOR)), _changed(ALLOCATOR)),
    _Contrast("cold start", _BOTH,
              lambda b: (b[C, MAIN].cold_s - b[C, MAIN].wall_s)
              - (b[B, MAIN].cold_s - b[B, MAIN].wall_s), within=False),
)  # fmt: skip


def judge_ablation(session: Session, study: Study) -> Ablation | None:
    """Return the contrasts of an ablation session; None unless it has both CPU arms.

    Raise InputError if the log's runs are not those of its plan, each valid one once.
    """
    refuse_run_mismatches(session)
    pair = next((p for p in arm_pairs(session, study) if p.variant == CPU), None)
    if pair is None or pair.baseline is None or pair.contender is None:
        return None
    blocks = _blocks(session, pair)
    planned = set(session.header.plan.roles)
    first, *others = (q for q in CONTRASTS if planned.issuperset(role for _, role in q.needs))
    total = _estimate(first, blocks, None)
    base = total.seconds if total.clear else None
    contrasts = (total, *(_estimate(contrast, blocks, base) for contrast in others))
    return Ablation(pair, contrasts, _numbers(blocks, pair))


def _blocks(session: Session, pair: ArmPair) -> tuple[Block, ...]:
    stacks = {pair.baseline: B, pair.contender: C}
    found: dict[int, dict[tuple[str, str], FitNumbers]] = {}
    for entry in session.timed():
        if entry.record is not None and entry.arm in stacks:
            slot = (stacks[entry.arm], entry.role)
            found.setdefault(entry.block, {})[slot] = fit_numbers(entry.record)
    return tuple(found[number] for number in sorted(found))


def _estimate(
    contrast: _Contrast, blocks: Sequence[Block], total: float | None
) -> ContrastEstimate:
    complete = [block for block in blocks if all(slot in block for slot in contrast.needs)]
    found = [value for value in map(contrast.seconds, complete) if value is not None]
    mean = fmean(found) if found else None
    shared = contrast.within and contrast is not CONTRASTS[0]
    share = mean / total if shared and mean is not None and total else None
    return ContrastEstimate(contrast.name, len(found), mean, _interval(found), share)


def _interval(values: Sequence[float]) -> Interval | None:
    if len(values) < 2:
        return None
    half = half_width(stdev(values), len(values))
    return Interval(fmean(values) - half, fmean(values) + half)


def _numbers(blocks: Sequence[Block], pair: ArmPair) -> dict[tuple[str, str], FitNumbers]:
    names = {B: pair.baseline or "", C: pair.contender or ""}
    slots = dict.fromkeys(slot for block in blocks for slot in block)
    return {
        (names[stack], role): _mean(
            [block[stack, role] for block in blocks if (stack, role) in block]
        )
        for stack, role in slots
    }


def _mean(runs: Sequence[FitNumbers]) -> FitNumbers:
    inner = [run.inner_s for run in runs if run.inner_s is not None]
    return FitNumbers(
        wall_s=fmean(run.wall_s for run in runs),
        user_s=fmean(run.user_s for run in runs),
        system_s=fmean(run.system_s for run in runs),
        faults=fmean(run.faults for run in runs),
        rss_growth_bytes=fmean(run.rss_growth_bytes for run in runs),
        cold_s=fmean(run.cold_s for run in runs),
        inner_s=fmean(inner) if inner else None,
    )
