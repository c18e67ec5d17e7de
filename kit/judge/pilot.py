"""The result of a pilot: the design, the number of blocks, and the claims these can decide.

The pilot's blocks are not judged: if they both fixed the number of blocks and counted,
intervals would be too narrow (by simulation 92 % instead of 95 %), and so they would if they
chose the design (of two that are alike, the one with the smaller spread: 93 to 94 %). They hold
no controls, so they cost little. In a session with a stopping rule the pilot only chooses the
design; the number of blocks is the most.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median, median_low
from typing import Any, Literal

from kit.judge.controls import WARM_MEDIAN
from kit.judge.pairing import arm_pairs, estimate_over, pair_blocks, usable_runs
from kit.judge.power import (
    POWERS,
    PowerTarget,
    SampleSize,
    blocks_for,
    detectable_gain,
    planning_sd,
    sample_sizes,
)
from kit.plan.blocks import Slot, block_numbers, designs_of
from kit.plan.budget import MAX_SEQUENTIAL, MIN_AFTER_PILOT
from kit.plan.make import extended_plan, maker_of
from kit.plan.model import ALTERNATING, AUTO, TIMED, BlockDesign, Bounds, Plan
from kit.plan.roles import PILOT, PLACEBO, SLOWED, RoleName, conditions_of, slowdown_percent
from kit.records.session import RunEntry, Session, moment
from kit.study.model import Claim, Study, lead_claim

MIN_SD = 1e-4
"""Smallest SD of log ratios to plan with; a smaller one is an accident of a small pilot."""
PAUSED_FACTOR = 3
"""A run longer than this many times its arm's usual one was paused, for example by a stopped
virtual machine. Containers of one arm do the same work: they differ by a few percent."""
Limit = Literal["fewest", "power", "blocks", "minutes"]
"""The reason for a number of blocks: the fewest that kit judges, those that the requested power
needs, or the most that the budget's blocks or minutes allow."""


@dataclass(frozen=True)
class DesignEstimate:
    """The numbers of one design from its pilot blocks. ``needs``: blocks for the lead claim.

    ``control_sd`` is the planning SD of the statistic that the positive control is judged on,
    ``block_s`` the seconds of a judged block.
    """

    design: BlockDesign
    blocks: int
    sd_log: float
    planning_sd: float
    control_sd: float
    block_s: float
    needs: tuple[SampleSize, ...]


@dataclass(frozen=True)
class PilotResult:
    """The design and number of blocks fixed after the pilot, and the reasons for them.

    ``undecided``: the claims with less than 80 % power at this number of blocks, assuming the
    published effect, by id; each with the blocks it needs (None: too many).
    ``slowdown_percent`` is the positive control's; None: none is planned. ``sooner``: several
    designs were tried, and this one decides sooner. ``budget``: the number of blocks or
    minutes, if that is the limit.
    """

    design: BlockDesign
    blocks: int
    claim: str
    wanted_gain_percent: float
    power: float
    slowdown_percent: float | None
    minutes_left: float
    detectable_gain_percent: float | None
    designs: tuple[DesignEstimate, ...]
    undecided: Mapping[str, int | None]
    sooner: bool
    limit: Limit
    budget: int | None


def power_target_of(claim: Claim, study: Study, roles: Sequence[RoleName]) -> PowerTarget:
    """Return the conditions for a claim to be reproduced by a plan.

    ``roles`` are the plan's control runs.
    """
    band = claim.band_percent
    return PowerTarget(
        gain=claim.published_gain_percent,
        band=(band.low, band.high),
        claims=len(study.claims),
        slowed=math.log1p(slowdown_percent(study) / 100) if SLOWED in roles else None,
        placebo=PLACEBO in roles,
    )


def evaluate_pilot(session: Session, study: Study) -> PilotResult | None:
    """Return the result of a session's pilot: the design and number of blocks, and why.

    None if the plan has no bounds or the study no claim, or if no design has a spread.
    """
    plan = session.header.plan
    claim = lead_claim(study.claims)
    bounds = plan.bounds
    if claim is None or bounds is None:
        return None
    found = [_design(session, study, design, claim) for design in designs_of(plan.design)]
    designs = tuple(design for design in found if design is not None)
    if not designs:
        return None
    best = min(designs, key=_seconds_to_decide)
    target = power_target_of(claim, study, plan.roles)
    needed = blocks_for(best.planning_sd, best.control_sd, target, bounds.power)
    most, limit, budget = _most(session, bounds, best.block_s)
    if plan.stopping is not None:
        needed = None
        if most > MAX_SEQUENTIAL:
            most, limit, budget = MAX_SEQUENTIAL, "blocks", MAX_SEQUENTIAL
    blocks = max(min(needed if needed is not None else most, most), MIN_AFTER_PILOT)
    if needed is not None and needed <= blocks:
        limit, budget = "fewest" if needed < blocks else "power", None
    return PilotResult(
        design=best.design,
        blocks=blocks,
        claim=claim.id,
        wanted_gain_percent=claim.published_gain_percent,
        power=bounds.power,
        slowdown_percent=slowdown_percent(study) if SLOWED in plan.roles else None,
        minutes_left=blocks * best.block_s / 60,
        detectable_gain_percent=detectable_gain(best.planning_sd, blocks),
        designs=designs,
        undecided=_undecided(session, study, best, blocks),
        sooner=len(designs) > 1,
        limit=limit,
        budget=budget,
    )


def _design(
    session: Session, study: Study, design: BlockDesign, claim: Claim
) -> DesignEstimate | None:
    """Return one design's numbers; None if fewer than two of its blocks are complete."""
    sd, blocks = _spread(session, study, design, claim.statistic)
    if sd is None:
        return None
    planned = planning_sd(sd, blocks)
    control, pairs = _spread(session, study, design, WARM_MEDIAN)
    control_sd = planned if control is None else planning_sd(control, pairs)
    return DesignEstimate(
        design=design,
        blocks=blocks,
        sd_log=sd,
        planning_sd=planned,
        control_sd=control_sd,
        block_s=_block_seconds(session, study, design),
        needs=sample_sizes(
            planned, control_sd, power_target_of(claim, study, session.header.plan.roles)
        ),
    )


def _spread(
    session: Session, study: Study, design: BlockDesign, statistic: str
) -> tuple[float | None, int]:
    """Return the largest SD among the variants, and its number of blocks; None, 0 without any."""
    numbers = block_numbers(session.header.plan.runs, design)
    runs = [run for run in usable_runs(session)[0] if run.block in numbers]
    spreads = []
    for pair in arm_pairs(session, study):
        if pair.baseline is None or pair.contender is None:
            continue
        blocks, _ = pair_blocks(runs, (pair.baseline, PILOT), (pair.contender, PILOT))
        estimate = estimate_over(statistic, blocks)
        if estimate.sd_log is not None:
            spreads.append((max(estimate.sd_log, MIN_SD), estimate.pairs))
    return max(spreads, default=(None, 0))


def _block_seconds(session: Session, study: Study, design: BlockDesign) -> float:
    """Return the seconds of a judged block, from the pilot's runs and the median gap between two.

    A run of an arm takes what its pilot runs usually took, the slowed control longer by its
    slowdown. Interruptions of the session and sleep of the machine do not count.
    """
    maker = maker_of(study, session.header.plan)
    kinds = _usual(session)
    usual = {arm: s for (arm, kind, of), s in kinds.items() if (kind, of) == (TIMED, design)}
    if not usual:
        return 0.0
    most = max(usual.values())

    def run_s(slot: Slot) -> float:
        arm, role = slot
        slower = 1 + conditions_of(role, study).slowdown_percent / 100
        return usual.get(arm, most) * slower

    steps = maker.steps(design)
    return sum(max(map(run_s, step)) for step in steps) + len(steps) * _gap(session)


def _usual(session: Session) -> dict[tuple[str, str, str], float]:
    """Return the lower median of the seconds that runs took while awake, by arm, kind and design.

    Lower, so that of two runs, one of which was paused, the other is taken.
    """
    took: dict[tuple[str, str, str], list[float]] = {}
    for entry in session.entries:
        if entry.record is not None and entry.awake_seconds is not None:
            took.setdefault(_like(entry), []).append(entry.awake_seconds)
    return {like: median_low(seconds) for like, seconds in took.items()}


def _like(entry: RunEntry) -> tuple[str, str, str]:
    return entry.arm, entry.kind, entry.design


def _spans(session: Session) -> list[tuple[datetime, datetime]]:
    """Return each run's start and its end without a pause, in order; runs that overlap as one."""
    usual = _usual(session)
    times = []
    for entry in session.entries:
        took = entry.awake_seconds
        if took is not None:
            expected = usual.get(_like(entry), took)
            worked = expected if took > PAUSED_FACTOR * expected else took
            start = moment(entry.started_at)
            times.append((start, start + timedelta(seconds=worked)))
    times.sort()
    spans: list[tuple[datetime, datetime]] = []
    for start, end in times:
        if spans and start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return spans


def _gap(session: Session) -> float:
    """Return the median seconds between two runs; 0 if there are fewer."""
    spans = _spans(session)
    gaps = [(b[0] - a[1]).total_seconds() for a, b in pairwise(spans)]
    return median(gaps) if gaps else 0.0


def spent_seconds(session: Session) -> float:
    """Return the seconds that the session has spent on measuring, without pauses."""
    spans = _spans(session)
    running = sum((end - start).total_seconds() for start, end in spans)
    return running + len(spans) * _gap(session)


def _seconds_to_decide(design: DesignEstimate) -> tuple[float, float]:
    """Return a sort key, least is best: seconds to decide, then variance times seconds."""
    needed = design.needs[0].blocks
    seconds = math.inf if needed is None else needed * design.block_s
    return seconds, design.planning_sd**2 * design.block_s


def _most(session: Session, bounds: Bounds, block_s: float) -> tuple[int, Limit, int | None]:
    """Return the most blocks that the bounds allow, which bound that is, and its value."""
    if bounds.minutes is None or block_s <= 0:
        return bounds.blocks, "blocks", bounds.blocks
    more = int(max(bounds.minutes * 60 - spent_seconds(session), 0) // block_s)
    return more, "minutes", bounds.minutes


def _undecided(
    session: Session, study: Study, best: DesignEstimate, blocks: int
) -> dict[str, int | None]:
    short = {}
    for claim in study.claims:
        sd, pilot = _spread(session, study, best.design, claim.statistic)
        if sd is None:
            continue
        target = power_target_of(claim, study, session.header.plan.roles)
        needed = blocks_for(planning_sd(sd, pilot), best.control_sd, target, POWERS[0])
        if needed is None or needed > blocks:
            short[claim.id] = needed
    return short


def fixed_plan(session: Session, study: Study) -> tuple[Plan, PilotResult | None]:
    """Return the plan extended by the pilot's result, and that; with no result the fewest blocks.

    Raise InputError as ``usable_runs`` does, and for an arm that is not in the study.
    """
    plan = session.header.plan
    found = evaluate_pilot(session, study)
    if found is None:
        design = ALTERNATING if plan.design == AUTO else plan.design
        return extended_plan(study, plan, design, MIN_AFTER_PILOT), None
    return extended_plan(study, plan, found.design, found.blocks), found


def read_pilot_result(document: Mapping[str, Any]) -> PilotResult | None:
    """Return the result of the pilot in a document of the run log; None for an empty one.

    Raise KeyError or TypeError for another document.
    """
    if not document:
        return None
    values = dict(document)
    values["designs"] = tuple(
        DesignEstimate(**{**design, "needs": tuple(SampleSize(**need) for need in design["needs"])})
        for design in values["designs"]
    )
    return PilotResult(**values)
