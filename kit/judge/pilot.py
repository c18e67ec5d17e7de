"""What a pilot says: which design, how many blocks, and what they can decide.

The pilot's blocks are not judged: a number of blocks that was fixed from blocks which
then count as well makes intervals too narrow (by simulation 92 % instead of 95 %). They
hold no controls, so they cost little.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kit.judge.pairing import arm_pairs, estimate_over, pair_blocks, usable_runs
from kit.judge.power import Need, blocks_needed, detectable_gain, needs, planning_sd
from kit.measure.session import Session, moment
from kit.plan.blocks import numbers_of
from kit.plan.make import LEAST_AFTER_PILOT, grown, maker_of
from kit.plan.model import AUTO, DUET, SEQUENTIAL, Plan
from kit.plan.roles import PILOT
from kit.study.model import Claim, Study

LEAST_SD = 1e-4
"""Of log ratios; a smaller spread is an accident of a small pilot."""


@dataclass(frozen=True)
class DesignOutlook:
    """One design as its pilot blocks show it. ``needs``: blocks for the wanted gain."""

    design: str
    blocks: int
    sd_log: float
    planning_sd: float
    block_s: float
    needs: tuple[Need, ...]


@dataclass(frozen=True)
class Outlook:
    """What was fixed after the pilot, and by what. ``undecided``: claims by id that so
    many blocks find with less than 80 % power, with the blocks they need (None: too many).
    """

    design: str
    blocks: int
    claim: str
    wanted_gain_percent: float
    power: float
    minutes_left: float
    detectable_gain_percent: float | None
    designs: tuple[DesignOutlook, ...]
    undecided: Mapping[str, int | None]
    reason: str


def lead_claim(claims: Sequence[Claim]) -> Claim | None:
    """The claim a session is planned for: the average fit's, else the first."""
    return next((c for c in claims if c.statistic == "mean"), next(iter(claims), None))


def outlook(session: Session, study: Study) -> Outlook | None:
    """What to do after the pilot; None where its blocks tell no spread at all."""
    plan = session.header.plan
    claim = lead_claim(study.claims)
    bounds = plan.bounds
    if claim is None or bounds is None:
        return None
    wanted = (SEQUENTIAL, DUET) if plan.design == AUTO else (plan.design,)
    found = [_design(session, study, design, claim) for design in wanted]
    designs = tuple(design for design in found if design is not None)
    if not designs:
        return None
    best = min(designs, key=lambda d: _seconds_to_decide(d, claim))
    needed = blocks_needed(best.planning_sd, claim.published_gain_percent, bounds.power)
    most, limit = _most(session, best.block_s)
    blocks = max(min(needed if needed is not None else most, most), LEAST_AFTER_PILOT)
    return Outlook(
        design=best.design,
        blocks=blocks,
        claim=claim.id,
        wanted_gain_percent=claim.published_gain_percent,
        power=bounds.power,
        minutes_left=blocks * best.block_s / 60,
        detectable_gain_percent=detectable_gain(best.planning_sd, blocks),
        designs=designs,
        undecided=_undecided(session, study, best.design, blocks),
        reason=_reason(best, designs, needed, blocks, limit),
    )


def _design(session: Session, study: Study, design: str, claim: Claim) -> DesignOutlook | None:
    """None where fewer than two blocks are complete."""
    sd, blocks = _spread(session, study, design, claim.statistic)
    if sd is None:
        return None
    planned = planning_sd(sd, blocks)
    return DesignOutlook(
        design=design,
        blocks=blocks,
        sd_log=sd,
        planning_sd=planned,
        block_s=_block_seconds(session, study, design),
        needs=needs(planned, claim.published_gain_percent),
    )


def _spread(
    session: Session, study: Study, design: str, statistic: str
) -> tuple[float | None, int]:
    """The largest spread among the variants, and its blocks."""
    numbers = numbers_of(session.header.plan.runs, design)
    runs = [run for run in usable_runs(session)[0] if run.block in numbers]
    spreads = []
    for pair in arm_pairs(session, study):
        if pair.baseline is None or pair.contender is None:
            continue
        blocks, _ = pair_blocks(runs, (pair.baseline, PILOT), (pair.contender, PILOT))
        estimate = estimate_over(statistic, blocks)
        if estimate.sd_log is not None:
            spreads.append((max(estimate.sd_log, LEAST_SD), estimate.pairs))
    return max(spreads, default=(None, 0))


def _block_seconds(session: Session, study: Study, design: str) -> float:
    """Seconds of a judged block: the pilot's, from first start to last end, for each step."""
    maker = maker_of(study, session.header.plan)
    spans: dict[int, list[tuple[datetime, datetime]]] = {}
    for entry in session.entries:
        if entry.kind == "timed" and entry.design == design and entry.seconds is not None:
            span = (moment(entry.started_at), moment(entry.finished_at))
            spans.setdefault(entry.block, []).append(span)
    lengths = [
        (max(end for _, end in block) - min(start for start, _ in block)).total_seconds()
        for block in spans.values()
    ]
    step = sum(lengths) / len(lengths) / maker.piloting().steps(design) if lengths else 0.0
    return step * maker.steps(design)


def _seconds_to_decide(design: DesignOutlook, claim: Claim) -> tuple[float, float]:
    """Least is best; where none decides, what comes nearest in the same time."""
    needed = blocks_needed(design.planning_sd, claim.published_gain_percent, 0.8)
    seconds = math.inf if needed is None else needed * design.block_s
    return seconds, design.planning_sd**2 * design.block_s


def _most(session: Session, block_s: float) -> tuple[int, str]:
    """The most blocks that the bounds allow, and which of them it is."""
    plan = session.header.plan
    bounds = plan.bounds
    if bounds is None:
        return plan.blocks, "the plan"
    times = [moment(t) for e in session.entries for t in (e.started_at, e.finished_at) if e.seconds]
    if bounds.minutes is None or not times or block_s <= 0:
        return bounds.blocks, f"the budget's {bounds.blocks} blocks"
    spent = (max(times) - min(times)).total_seconds()
    more = int(max(bounds.minutes * 60 - spent, 0) // block_s)
    return more, f"the budget's {bounds.minutes} minutes"


def _undecided(session: Session, study: Study, design: str, blocks: int) -> dict[str, int | None]:
    short = {}
    for claim in study.claims:
        sd, pilot = _spread(session, study, design, claim.statistic)
        if sd is None:
            continue
        needed = blocks_needed(planning_sd(sd, pilot), claim.published_gain_percent, 0.8)
        if needed is None or needed > blocks:
            short[claim.id] = needed
    return short


def _reason(
    best: DesignOutlook,
    designs: Sequence[DesignOutlook],
    needed: int | None,
    blocks: int,
    limit: str,
) -> str:
    why = ""
    if len(designs) > 1:
        why = f"{best.design} blocks decide sooner here; "
    if needed is not None and needed <= blocks:
        more = "the fewest that are judged" if needed < blocks else "for the wanted power"
        return f"{why}{blocks} blocks, {more}"
    return f"{why}{blocks} blocks, the most within {limit}"


def fixed_plan(session: Session, study: Study) -> tuple[Plan, Outlook | None]:
    """The plan as it is from the pilot on; the fewest blocks where it told nothing."""
    plan = session.header.plan
    found = outlook(session, study)
    if found is None:
        design = SEQUENTIAL if plan.design == AUTO else plan.design
        return grown(study, plan, design, LEAST_AFTER_PILOT), None
    return grown(study, plan, found.design, found.blocks), found


def outlook_from(document: Mapping[str, Any]) -> Outlook | None:
    """The outlook of a run log's line; None for an empty one. Raises KeyError or TypeError."""
    if not document:
        return None
    values = dict(document)
    values["designs"] = tuple(
        DesignOutlook(**{**design, "needs": tuple(Need(**need) for need in design["needs"])})
        for design in values["designs"]
    )
    return Outlook(**values)
