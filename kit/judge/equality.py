"""Claims of equality: whether the effect lies within the claim's own margin, or beyond it.

Exactly one of the two is true, and the estimate decides which one is tested: inside the margin
by two one-sided tests, outside by a two-sided t test against the nearest end of the margin. The
p value of that test enters Holm's adjustment. Around the same estimate it rises with the spread.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from kit.judge.effects import log_of
from kit.judge.looks import fewest
from kit.judge.reasons import BeyondByChance, BeyondMargin, InMargin, MarginOpen, OfEquality
from kit.judge.sensitivity import ALPHA, Sensitivity, paired_t_pvalue
from kit.judge.statistics import Estimate
from kit.judge.words import INCONCLUSIVE, OPPOSITE, REPRODUCED, Word
from kit.plan.model import Looks
from kit.study.model import Claim, Direction


def margin_of(claim: Claim) -> tuple[float, float] | None:
    """Return the margin of a claim of equality as log ratios; None for another claim."""
    if claim.direction is not Direction.EQUAL:
        return None
    return log_of(claim.band_percent.low), log_of(claim.band_percent.high)


def deciding_p(
    claim: Claim, logs: Sequence[float], tests: Sensitivity, looks: Looks | None = None
) -> float | None:
    """Return the p value that decides a claim; None with too few blocks for an interval."""
    margin = margin_of(claim)
    if margin is None or len(logs) < fewest(looks):
        return tests.t
    low, high = margin
    mean = fmean(logs)
    if low < mean < high:
        return tests.equivalence
    return paired_t_pvalue(logs, low if mean <= low else high, looks)


def within_margin(claim: Claim, measured: Estimate, holm_p: float) -> tuple[Word, OfEquality]:
    """Return the word for a claim of equality whose estimate has an interval, and why.

    ``holm_p`` is the claim's ``deciding_p`` after Holm's adjustment. Raise ValueError for an
    estimate without an interval, and for a claim of another kind.
    """
    gains, gain, margin = (
        measured.gain_interval, measured.gain_percent, claim.equal_within_percent
    )  # fmt: skip
    if gains is None or gain is None or margin is None:
        raise ValueError("an estimate without an interval decides nothing")
    band = claim.band_percent
    inside = band.low < gain < band.high
    if holm_p < ALPHA and inside:
        return REPRODUCED, InMargin(margin)
    if holm_p < ALPHA:
        return OPPOSITE, BeyondMargin(margin)
    if not inside and not gains.overlaps(band.low, band.high):
        return INCONCLUSIVE, BeyondByChance(margin, holm_p)
    return INCONCLUSIVE, MarginOpen(margin, holm_p)
