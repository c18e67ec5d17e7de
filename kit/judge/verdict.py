"""Verdicts: per claim one word, the numbers behind it, and the reason for it.

A word separates direction and size. The estimate decides which question is asked, and the
interval whether it is settled, so a wider interval around the same estimate only ever turns
a word into a weaker one:

- the estimate lies within plus or minus 2 %: REPRODUCED, EQUIVALENT or undecided;
- it lies beyond, as claimed: REPRODUCED, SAME DIRECTION or undecided;
- it lies beyond, against the claim: OPPOSITE or undecided.

A claim of equality has its own margin in place of the 2 %: inside it the word is REPRODUCED or
undecided, beyond it OPPOSITE or undecided (``kit.judge.equality``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kit.judge.controls import Control, failing
from kit.judge.equality import deciding_p, margin_of, within_margin
from kit.judge.looks import fewest
from kit.judge.missing import Lack
from kit.judge.pairing import PairedBlock, estimate_over, log_ratios
from kit.judge.power import POWERS, blocks_for_equality, blocks_for_size, blocks_needed
from kit.judge.reasons import (
    Against,
    ByChance,
    Capped,
    ClaimReason,
    Equal,
    FailedControl,
    InBand,
    Missing,
    OfGain,
    OtherWork,
    PerhapsEqual,
    Side,
    SizeDiffers,
    SizeOpen,
    StillOpen,
    TooFewPairs,
    TooWide,
    Uncapped,
)
from kit.judge.samework import SameWork
from kit.judge.sensitivity import ALPHA, EQUIVALENCE_PERCENT, Sensitivity, holm, sensitivity
from kit.judge.statistics import Estimate
from kit.judge.throttling import ThrottledArm
from kit.judge.words import (
    EQUIVALENT,
    INCONCLUSIVE,
    NOT_TESTABLE,
    OPPOSITE,
    REPRODUCED,
    SAME_DIRECTION,
    Word,
    printed,
)
from kit.plan.model import Looks
from kit.records.images import Component, without_proof
from kit.study.model import Claim, Direction, Paper, Study, Variant


@dataclass(frozen=True)
class Verdict:
    """The verdict on one claim.

    ``measured`` is of the claim's statistic, the only one that is judged; ``warm_median``, of the
    median fit without the cold one, is for comparison. ``figures_gain_percent`` is the gain
    computed from the published figures.
    """

    claim: Claim
    variant: Variant
    figures_gain_percent: float | None
    measured: Estimate | None
    warm_median: Estimate | None
    tests: Sensitivity | None
    """The tests of the claim's statistic; None if it was not measured."""
    holm_p: float | None
    """The p value that decides the claim, adjusted over the claims of the variant."""
    word: Word
    indicative: bool
    reason: ClaimReason
    still_open: StillOpen | None
    """What the word leaves open; None: nothing, unknown spread, or not the same work."""

    @property
    def blocks_to_decide(self) -> int | None:
        """Return how many blocks would settle what the verdict leaves open.

        None if nothing is open, or if it takes too many.
        """
        return None if self.still_open is None else self.still_open.blocks

    @property
    def printed(self) -> str:
        """Return the word to show, marked as indicative if a substitute was used."""
        return printed(self.word, self.indicative)


def judge_claims(
    *,
    study: Study,
    variant: Variant,
    blocks: Sequence[PairedBlock],
    missing: Sequence[Lack],
    work: SameWork,
    controls: Sequence[Control],
    throttled: tuple[ThrottledArm, ...],
    fidelity: Sequence[Component],
    looks: Looks | None = None,
) -> tuple[Verdict, ...]:
    """Return one verdict per measured claim, for that variant.

    ``missing`` lists what the claims lack to be tested at all, ``throttled`` the arms' throttling
    if it was unequal. Raise InputError for an unknown statistic.
    """
    indicative = bool(substitutes(study, fidelity)) and not missing
    warm_median = None if missing else estimate_over("warm_median", blocks, looks)
    logs = {c.id: log_ratios(c.statistic, blocks) for c in study.claims if not missing}
    tested = () if missing else study.claims
    tests = {c.id: sensitivity(logs[c.id], margin_of(c), looks) for c in tested}
    adjusted = holm({c.id: deciding_p(c, logs[c.id], tests[c.id], looks) for c in tested})
    verdicts = []
    for claim in study.claims:
        measured = None if missing else estimate_over(claim.statistic, blocks, looks)
        evidence = _Evidence(measured, tests.get(claim.id), adjusted.get(claim.id), fewest(looks))
        word, reason = _capped(claim, *_decide(claim, evidence, missing, work), controls, throttled)
        left = None
        if measured is not None and work.held:
            left = _still_open(claim, word, measured, len(study.claims))
        verdicts.append(
            Verdict(
                claim=claim,
                variant=variant,
                figures_gain_percent=figures_gain(study, claim.statistic),
                measured=measured,
                warm_median=warm_median,
                tests=evidence.tests,
                holm_p=evidence.holm_p,
                word=word,
                indicative=indicative,
                reason=reason,
                still_open=left,
            )
        )
    return tuple(verdicts)


def substitutes(study: Study, fidelity: Sequence[Component]) -> tuple[str, ...]:
    """Return the components that the claims are about and that are substituted or have no row.

    One row that is not exact is enough: a plain verdict needs proof of exactness.
    """
    return without_proof(study.paper.claimed, fidelity)


def figures_gain(study: Study, statistic: str) -> float | None:
    """Return the gain in percent by the figures' seconds; None for a statistic they lack."""
    baseline = published_seconds(study.paper, study.baseline, statistic)
    contender = published_seconds(study.paper, study.contender, statistic)
    if baseline is None or contender is None:
        return None
    return 100.0 * (baseline - contender) / baseline


def published_seconds(paper: Paper, stack: str, statistic: str) -> float | None:
    """Return the published seconds of a stack; None if the paper gives none."""
    row = paper.figures.get(stack)
    if row is None:
        return None
    named = {"min": row.minimum, "max": row.maximum, "mean": row.mean, "total": row.total}
    return named.get(statistic)


def _capped(
    claim: Claim,
    word: Word,
    reason: Uncapped,
    controls: Sequence[Control],
    throttled: tuple[ThrottledArm, ...],
) -> tuple[Word, ClaimReason]:
    """Return INCONCLUSIVE if the session shows that its times decide nothing, else the word.

    That is if a control does not hold, or a CPU quota from outside slowed one arm more. A slowdown
    that is neither found nor refuted yet shows that a session might miss a difference, which says
    nothing against one that it found.
    """
    waived = _is_difference(claim, word)
    broken = tuple(
        FailedControl(control.role, control.reason)
        for control in failing(controls)
        if not (waived and control.is_open)
    )
    if not (broken or throttled) or word in (NOT_TESTABLE, INCONCLUSIVE):
        return word, reason
    return INCONCLUSIVE, Capped(broken, throttled, word, reason)


def _is_difference(claim: Claim, word: Word) -> bool:
    """Return whether the word for the claim says that a difference was found."""
    equality = claim.direction is Direction.EQUAL
    return word == OPPOSITE or (not equality and word in (REPRODUCED, SAME_DIRECTION))


@dataclass(frozen=True)
class _Evidence:
    measured: Estimate | None
    tests: Sensitivity | None
    holm_p: float | None
    needed: int
    """The fewest pairs with an interval."""


def _decide(
    claim: Claim, evidence: _Evidence, missing: Sequence[Lack], work: SameWork
) -> tuple[Word, Uncapped]:
    measured = evidence.measured
    if missing or measured is None or evidence.tests is None:
        return NOT_TESTABLE, Missing(tuple(missing))
    if not work.held:
        return INCONCLUSIVE, OtherWork(tuple(check.name for check in work.broken()))
    if measured.gain_interval is None or evidence.holm_p is None:
        return INCONCLUSIVE, TooFewPairs(measured.pairs, evidence.needed)
    if claim.direction is Direction.EQUAL:
        return within_margin(claim, measured, evidence.holm_p)
    equivalence = evidence.tests.equivalence
    equal = equivalence is not None and equivalence < ALPHA
    return by_interval(claim, measured, evidence.holm_p, equal)


def by_interval(
    claim: Claim, measured: Estimate, holm_p: float, equal: bool
) -> tuple[Word, OfGain]:
    """Return the word for a claim of a gain whose estimate has an interval, and why.

    A difference counts if the interval excludes 0 and the test is significant after
    Holm's adjustment; ``equal`` is the result of the two one-sided tests.
    Raise ValueError for an estimate without an interval.
    """
    gains, gain = measured.gain_interval, measured.gain_percent
    if gains is None or gain is None:
        raise ValueError("an estimate without an interval decides nothing")
    up = claim.published_gain_percent >= 0
    differs = holm_p < ALPHA
    as_claimed = differs and (gains.low > 0 if up else gains.high < 0)
    against = differs and (gains.high < 0 if up else gains.low > 0)
    band = claim.band_percent
    found: tuple[Word, OfGain]
    if as_claimed and gains.within(band.low, band.high):
        found = REPRODUCED, InBand(band)
    elif equal:
        found = EQUIVALENT, Equal()
    elif (as_claimed or against) and abs(gain) < EQUIVALENCE_PERCENT:
        found = INCONCLUSIVE, PerhapsEqual()
    elif as_claimed and gains.overlaps(band.low, band.high):
        found = SAME_DIRECTION, SizeOpen(band)
    elif as_claimed:
        side: Side = "below" if gains.high < band.low else "above"
        found = SAME_DIRECTION, SizeDiffers(side, band)
    elif against:
        found = OPPOSITE, Against()
    elif gains.low > 0 or gains.high < 0:
        found = INCONCLUSIVE, ByChance(holm_p)
    else:
        found = INCONCLUSIVE, TooWide()
    return found


def _still_open(claim: Claim, word: Word, measured: Estimate, claims: int) -> StillOpen | None:
    """Return what the word leaves open, and the blocks that would settle it; None: nothing.

    The blocks follow from the published effect for an undecided claim, and from the measured
    effect if only the size is open.
    """
    sd, gain, gains = measured.sd_log, measured.gain_percent, measured.gain_interval
    band, pairs = (claim.band_percent.low, claim.band_percent.high), measured.pairs
    if sd is None or gain is None or gains is None:
        return None
    if word == SAME_DIRECTION and gains.overlaps(*band):
        return StillOpen("size", blocks_for_size(sd, gain, band, POWERS[0]), pairs)
    if word != INCONCLUSIVE:
        return None
    margin = margin_of(claim)
    if margin is not None:
        needed = blocks_for_equality(sd, margin, POWERS[0], ALPHA / claims)
        return StillOpen("equality", needed, pairs)
    published = claim.published_gain_percent
    needed = blocks_needed(sd, published, POWERS[0], ALPHA / claims)
    size = blocks_for_size(sd, published, band, POWERS[0])
    more = needed is not None and size is not None and size > needed
    return StillOpen("effect", needed, pairs, size if more else None)
