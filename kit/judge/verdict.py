"""Verdicts: per claim one word, the numbers behind it, and the rule that fired.

A word says direction and size apart. The estimate says which question is open, and the
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
from kit.judge.effects import Form, band_words, equal_text, form_over
from kit.judge.equality import deciding_p, margin_of, within_margin
from kit.judge.pairing import PairedBlock, estimate_over, log_ratios
from kit.judge.power import POWERS, blocks_for_equality, blocks_needed, blocks_to_settle
from kit.judge.samework import SameWork
from kit.judge.sensitivity import ALPHA, EQUIVALENCE_PERCENT, Sensitivity, holm, sensitivity
from kit.judge.statistics import Estimate, Interval
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
from kit.records.images import Component, without_proof
from kit.study.model import Claim, Direction, Paper, Study


@dataclass(frozen=True)
class Verdict:
    """What is to be said of one claim.

    ``measured`` is the claim's own statistic, which alone is judged;
    ``hardened`` is the median fit without the cold one, printed beside it.
    ``figures_gain_percent`` is the gain computed from the published figures.
    """

    claim: Claim
    variant: str
    figures_gain_percent: float | None
    measured: Estimate | None
    hardened: Estimate | None
    tests: Sensitivity | None
    """Of the claim's own statistic; None where it was not measured."""
    holm_p: float | None
    """The p value that decides the claim, adjusted over the claims of the variant."""
    word: Word
    indicative: bool
    blocks_to_decide: int | None
    rule: str

    @property
    def printed(self) -> str:
        """The word as it is to be shown; never a plain one over a substitute."""
        return printed(self.word, self.indicative)


def judge_claims(
    *,
    study: Study,
    variant: str,
    blocks: Sequence[PairedBlock],
    missing: Sequence[str],
    work: SameWork,
    controls: Sequence[Control],
    throttled: str,
    fidelity: Sequence[Component],
) -> tuple[Verdict, ...]:
    """Return a verdict per claim.

    ``missing`` says what the claims lack to be tested at all, ``throttled`` how the arms were
    throttled unequally.
    """
    indicative = bool(substitutes(study, fidelity)) and not missing
    hardened = None if missing else estimate_over("hardened", blocks)
    logs = {c.id: log_ratios(c.statistic, blocks) for c in study.claims if not missing}
    tests = {c.id: sensitivity(logs[c.id], margin_of(c)) for c in study.claims if not missing}
    adjusted = holm(
        {c.id: deciding_p(c, logs[c.id], tests[c.id]) for c in study.claims if not missing}
    )
    form = form_over(study, blocks)
    verdicts = []
    for claim in study.claims:
        measured = None if missing else estimate_over(claim.statistic, blocks)
        evidence = _Evidence(measured, tests.get(claim.id), adjusted.get(claim.id), form)
        word, rule = _capped(*_decide(claim, evidence, missing, work), controls, throttled)
        needed = None
        if measured is not None and measured.sd_log is not None and work.held:
            needed, said = _still_open(claim, word, measured, len(study.claims))
            rule = f"{rule}; {said}" if said else rule
        verdicts.append(
            Verdict(
                claim=claim,
                variant=variant,
                figures_gain_percent=figures_gain(study, claim.statistic),
                measured=measured,
                hardened=hardened,
                tests=evidence.tests,
                holm_p=evidence.holm_p,
                word=word,
                indicative=indicative,
                blocks_to_decide=needed,
                rule=rule,
            )
        )
    return tuple(verdicts)


def substitutes(study: Study, fidelity: Sequence[Component]) -> tuple[str, ...]:
    """Components the claims are about that were substituted or not accounted for.

    A component without a row counts, and one with any row that is not exact: a plain
    verdict needs proof of exactness.
    """
    return without_proof(study.paper.claimed, fidelity)


def figures_gain(study: Study, statistic: str) -> float | None:
    """Gain in percent by the figures' own seconds; None for a statistic they lack."""
    baseline = published_seconds(study.paper, study.baseline, statistic)
    contender = published_seconds(study.paper, study.contender, statistic)
    if baseline is None or contender is None:
        return None
    return 100.0 * (baseline - contender) / baseline


def published_seconds(paper: Paper, stack: str, statistic: str) -> float | None:
    """Published seconds of a stack; None when the paper gives none."""
    row = paper.figures.get(stack)
    if row is None:
        return None
    named = {"min": row.minimum, "max": row.maximum, "mean": row.mean, "total": row.total}
    return named.get(statistic)


def _capped(word: Word, rule: str, controls: Sequence[Control], throttled: str) -> tuple[Word, str]:
    """Return INCONCLUSIVE where the session itself shows that its times decide nothing.

    A control does not hold, or a CPU quota from outside slowed one arm more than the other.
    """
    reasons = []
    broken = failing(controls)
    if broken:
        named = "; ".join(f"{control.role}: {control.why}" for control in broken)
        reasons.append(f"a control does not hold ({named})")
    if throttled:
        reasons.append(
            "a CPU quota set from outside throttled the arms unequally "
            f"(CPU seconds per timed second: {throttled})"
        )
    if not reasons or word in (NOT_TESTABLE, INCONCLUSIVE):
        return word, rule
    return INCONCLUSIVE, f"{'; '.join(reasons)}; without that {word}: {rule}"


@dataclass(frozen=True)
class _Evidence:
    measured: Estimate | None
    tests: Sensitivity | None
    holm_p: float | None
    form: Form


def _decide(
    claim: Claim, evidence: _Evidence, missing: Sequence[str], work: SameWork
) -> tuple[Word, str]:
    measured = evidence.measured
    if missing or measured is None or evidence.tests is None:
        return NOT_TESTABLE, f"missing: {'; '.join(missing)}"
    if not work.held:
        names = ", ".join(check.name for check in work.broken())
        return INCONCLUSIVE, f"the arms did not do the same work ({names}), so no ratio is judged"
    if measured.gain_interval is None or evidence.holm_p is None:
        return INCONCLUSIVE, f"{measured.pairs} complete pairs, at least 2 are needed"
    if claim.direction is Direction.EQUAL:
        return within_margin(claim, measured, evidence.holm_p, evidence.form)
    equivalence = evidence.tests.equivalence
    equal = equivalence is not None and equivalence < ALPHA
    return by_interval(claim, measured, evidence.holm_p, equal, evidence.form)


def by_interval(
    claim: Claim, measured: Estimate, holm_p: float, equal: bool, form: Form
) -> tuple[Word, str]:
    """Return the word for a claim of a gain whose estimate has an interval, and the rule.

    A difference counts when the interval excludes 0 and the test still says so
    after Holm's adjustment; ``equal`` is the answer of the two one-sided tests.
    Raises ValueError for an estimate without an interval.
    """
    gains, gain = measured.gain_interval, measured.gain_percent
    if gains is None or gain is None:
        raise ValueError("an estimate without an interval decides nothing")
    up = claim.published_gain_percent >= 0
    differs = holm_p < ALPHA
    as_claimed = differs and (gains.low > 0 if up else gains.high < 0)
    against = differs and (gains.high < 0 if up else gains.low > 0)
    band = claim.band_percent
    word: Word
    if as_claimed and gains.within(band.low, band.high):
        word = REPRODUCED
        rule = f"the interval excludes 0 as claimed and lies within {_band(claim, form)}"
    elif equal:
        word = EQUIVALENT
        rule = f"both one-sided tests put the effect {equal_text(form)}"
    elif (as_claimed or against) and abs(gain) < EQUIVALENCE_PERCENT:
        word = INCONCLUSIVE
        rule = (
            f"the interval excludes 0, but the effect may lie {equal_text(form)}, "
            "which counts as equal, or beyond"
        )
    elif as_claimed:
        word, rule = (
            SAME_DIRECTION,
            f"the interval excludes 0 as claimed; {_size(claim, gains, form)}",
        )
    elif against:
        word, rule = OPPOSITE, "the interval excludes 0 against the claim"
    elif gains.low > 0 or gains.high < 0:
        word = INCONCLUSIVE
        rule = (
            "the interval alone excludes 0, but among this many claims one may do so by "
            f"chance (p = {holm_p:.3f} after Holm's adjustment)"
        )
    else:
        word = INCONCLUSIVE
        rule = "the interval includes 0 and is too wide to call them equal"
    return word, rule


def _band(claim: Claim, form: Form) -> str:
    return f"the claim's band, {band_words(claim.band_percent, form)}"


def _size(claim: Claim, gains: Interval, form: Form) -> str:
    """Whether the size differs from the claimed one, or is not settled."""
    if gains.overlaps(claim.band_percent.low, claim.band_percent.high):
        return f"the size is not settled: part of the interval lies outside {_band(claim, form)}"
    side = "below" if gains.high < claim.band_percent.low else "above"
    return f"the size differs: the interval lies {side} {_band(claim, form)}"


def _still_open(
    claim: Claim, word: Word, measured: Estimate, claims: int
) -> tuple[int | None, str]:
    """The blocks that would settle what the word leaves open, and a sentence on them.

    For an undecided claim by the published effect, for the size of one that is found by
    the effect measured here.
    """
    sd, gain, gains = measured.sd_log, measured.gain_percent, measured.gain_interval
    band = (claim.band_percent.low, claim.band_percent.high)
    if sd is None or gain is None or gains is None:
        return None, ""
    if word == SAME_DIRECTION and gains.overlaps(*band):
        needed = blocks_to_settle(sd, gain, band, POWERS[0])
        return needed, _would(needed, "settle the size", measured)
    if word != INCONCLUSIVE:
        return None, ""
    margin = margin_of(claim)
    if margin is not None:
        needed = blocks_for_equality(sd, margin, POWERS[0], ALPHA / claims)
        return needed, _would(needed, "show equality, if the arms are equal,", measured)
    published = claim.published_gain_percent
    needed = blocks_needed(sd, published, POWERS[0], ALPHA / claims)
    said = _would(needed, "find an effect of the published size", measured)
    size = blocks_to_settle(sd, published, band, POWERS[0])
    if needed is not None and size is not None and size > needed:
        said += f"; about {size} would settle its size too"
    return needed, said


def _would(needed: int | None, what: str, measured: Estimate) -> str:
    if needed is None:
        return f"how many blocks would {what} cannot be told from this session"
    return (
        f"about {needed} blocks would {what} at this spread ({POWERS[0]:.0%} power), this "
        f"session has {measured.pairs}"
    )
