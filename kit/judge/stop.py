"""The stopping rule of a group-sequential session: one look at the blocks measured so far.

A session ends when the words for the lead claim are settled in every variant, at the plan's
last block, when the next block would exceed the minutes, or when too little is left to settle
the claim (futility). Intervals and p values are valid at every look, so futility and minutes
may end a session anywhere and change no error rate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import fmean, stdev

from kit.judge.comparison import Comparison, judge
from kit.judge.effects import log_of
from kit.judge.looks import critical_t
from kit.judge.pairing import log_ratios
from kit.judge.pilot import spent_seconds
from kit.judge.sensitivity import ALPHA, equivalence_bounds
from kit.judge.statistics import half_width
from kit.judge.verdict import Verdict
from kit.judge.words import INCONCLUSIVE, NOT_TESTABLE, SAME_DIRECTION
from kit.plan.model import DIRECTION, Looks, Stopping
from kit.records.session import Ending, Look, LookedAt, Session
from kit.study.model import Claim, Direction, Study, lead_claim

SPREAD_CONFIDENCE = 0.8
"""Confidence of the one-sided lower bound of the SD that futility supposes."""
LIKELY = 0.5
"""The chance from which on a number of blocks is named as one that may settle the claim."""
_VALUES = 9  # true values over the 95 % interval for which a chance is computed

Range = tuple[float, float]


def blocks_tried(session: Session) -> int:
    """Return how many of the first judged blocks have a try of each of their runs."""
    plan = session.header.plan
    tried = {entry.run_id for entry in session.entries}
    left = [run.block for run in plan.runs if run.block >= 0 and run.run_id not in tried]
    return max(min(left) - plan.first_judged, 0) if left else plan.blocks


def look_due(session: Session) -> bool:
    """Return whether the rule asks for a look before the next run."""
    rule = session.header.plan.stopping
    if rule is None or session.header.plan.looks is None or session.ending is not None:
        return False
    looked = session.looks[-1].blocks if session.looks else 0
    return blocks_tried(session) >= max(rule.first_look, looked + 1)


def look(session: Session, study: Study) -> Look:
    """Return the look at a session with a stopping rule, over the runs that it has.

    Raise InputError as ``judge`` does, ValueError for a session without such a rule.
    """
    plan = session.header.plan
    rule, looks, claim = plan.stopping, plan.looks, lead_claim(study.claims)
    if rule is None or looks is None or claim is None:
        raise ValueError("the session has no rule that ends it, or no claim to end for")
    blocks = blocks_tried(session)
    parts = [(part, _lead(part, claim)) for part in judge(session, study).comparisons]
    tested = [(part, verdict) for part, verdict in parts if verdict.word != NOT_TESTABLE]
    left = [
        _chance(part, verdict, looks, rule)
        for part, verdict in tested
        if not _settled(verdict, rule)
    ]
    ending: Ending | None = None
    if tested and not left:
        ending = "settled"
    elif blocks >= plan.blocks:
        ending = "last block"
    elif all(chance < rule.futility for chance, _ in left):  # also if no variant can be tested
        ending = "futile"
    elif rule.minutes is not None and _next_s(session, blocks) > 60 * rule.minutes:
        ending = "minutes"
    named = [at for _, at in left]
    likely = max((at for at in named if at is not None), default=None)
    return Look(
        blocks=blocks,
        runs=len(session.entries),
        lead=tuple(_looked_at(verdict) for _, verdict in tested),
        likely_blocks=None if ending is not None or None in named else likely,
        ending=ending,
    )


def _lead(part: Comparison, claim: Claim) -> Verdict:
    return next(verdict for verdict in part.verdicts if verdict.claim.id == claim.id)


def _settled(verdict: Verdict, rule: Stopping) -> bool:
    """Return whether a verdict leaves nothing open that the session is to settle."""
    if verdict.word == INCONCLUSIVE:
        return False
    size_open = verdict.word == SAME_DIRECTION and verdict.still_open is not None
    return rule.until == DIRECTION or not size_open


def _looked_at(verdict: Verdict) -> LookedAt:
    measured = verdict.measured
    interval = None if measured is None else measured.gain_interval
    return LookedAt(
        variant=verdict.variant,
        claim=verdict.claim.id,
        pairs=0 if measured is None else measured.pairs,
        gain_percent=None if measured is None else measured.gain_percent,
        low_percent=None if interval is None else interval.low,
        high_percent=None if interval is None else interval.high,
        word=verdict.word,
    )


def _next_s(session: Session, blocks: int) -> float:
    """Return the seconds of the session when the next block will have ended, without pauses."""
    first = session.header.plan.first_judged
    judged = tuple(entry for entry in session.entries if entry.block >= first)
    block_s = spent_seconds(replace(session, entries=judged)) / blocks
    return spent_seconds(session) + block_s


def _chance(
    part: Comparison, verdict: Verdict, looks: Looks, rule: Stopping
) -> tuple[float, int | None]:
    """Return the chance to settle more of a claim, and the blocks that likely settle all of it.

    More is the direction while that is open, then the size. The chance is that of the best case:
    over all true values in the 95 % t interval, with the lower bound of the SD. The blocks are
    those after which it is settled with probability ``LIKELY`` if the truth is what was
    measured; None: not within the plan's. If the arms did not do the same work, the chance is 0.
    """
    from scipy import special

    if not part.same_work.held:
        return 0.0, None
    logs = log_ratios(verdict.claim.statistic, part.blocks)
    pairs = len(logs)
    if pairs < looks.first or pairs >= looks.most:
        return (1.0, None) if pairs < looks.most else (0.0, None)
    mean, sd = fmean(logs), stdev(logs)
    freedom = pairs - 1
    least = sd * math.sqrt(freedom / float(special.chdtri(freedom, 1 - SPREAD_CONFIDENCE)))
    half = half_width(sd, pairs)
    shares = (2 * number / (_VALUES - 1) - 1 for number in range(_VALUES))

    only_direction = rule.until == DIRECTION
    next_aim = only_direction or verdict.word == INCONCLUSIVE

    def chance(at: int, truth: float, spread: float, direction: bool) -> float:
        ranges = _settling(verdict.claim, looks, at, spread, direction)
        return _probability(ranges, pairs, at, mean, truth, spread)

    best = max(chance(looks.most, mean + share * half, least, next_aim) for share in shares)
    later = range(pairs + 1, looks.most + 1)
    likely = (at for at in later if chance(at, mean, sd, only_direction) >= LIKELY)
    return best, next(likely, None)


def _settling(
    claim: Claim, looks: Looks, blocks: int, sd: float, direction: bool
) -> tuple[Range, ...]:
    """Return the ranges of mean log ratios over so many blocks that settle the claim.

    With ``direction``, only its direction has to be settled.
    """
    error = sd / math.sqrt(blocks)
    half = critical_t(looks, blocks, ALPHA) * error
    one_sided = critical_t(looks, blocks, 2 * ALPHA) * error
    low, high = log_of(claim.band_percent.low), log_of(claim.band_percent.high)
    if claim.direction is Direction.EQUAL:
        beyond = (-math.inf, low - half), (high + half, math.inf)
        return (low + one_sided, high - one_sided), *beyond
    least, most = equivalence_bounds()
    equal = least + one_sided, most - one_sided
    above, below = max(half, most), min(-half, least)
    if direction:
        return equal, (above, math.inf), (-math.inf, below)
    if claim.published_gain_percent > 0:
        within = max(low + half, half), high - half
        others = (max(high + half, above), math.inf), (above, low - half), (-math.inf, below)
    else:
        within = low + half, min(high - half, -half)
        others = (-math.inf, min(low - half, below)), (high + half, below), (above, math.inf)
    return equal, within, *others


def _probability(
    ranges: Sequence[Range], pairs: int, at: int, mean: float, truth: float, sd: float
) -> float:
    """Return the chance that the mean over ``at`` blocks lies in a range, after ``pairs``."""
    centre = (pairs * mean + (at - pairs) * truth) / at
    error = sd * math.sqrt(at - pairs) / at
    if error == 0:
        return float(any(low < centre < high for low, high in ranges))
    return sum(
        _below((b - centre) / error) - _below((a - centre) / error) for a, b in _union(ranges)
    )


def _below(score: float) -> float:
    return 0.5 * math.erfc(-score / math.sqrt(2))


def _union(ranges: Sequence[Range]) -> Iterator[Range]:
    """Yield the ranges that are not empty, those that overlap as one."""
    kept: Range | None = None
    for low, high in sorted(each for each in ranges if each[0] < each[1]):
        if kept is not None and low <= kept[1]:
            kept = kept[0], max(kept[1], high)
            continue
        if kept is not None:
            yield kept
        kept = low, high
    if kept is not None:
        yield kept
