"""Results of training: last-epoch loss and accuracy against the paper's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from kit.judge.looks import fewest
from kit.judge.missing import Lack
from kit.judge.pairing import PairedBlock
from kit.judge.reasons import (
    ByQuantity,
    EqualElsewhere,
    EqualInRange,
    Means,
    MeansDiffer,
    Missing,
    NotFinite,
    NothingTrained,
    OneBlock,
    OtherWork,
    QuantityReason,
    TooFewBlocks,
    TrainingReason,
)
from kit.judge.samework import SameWork
from kit.judge.sensitivity import ALPHA
from kit.judge.statistics import half_width
from kit.judge.verdict import substitutes
from kit.judge.words import (
    INCONCLUSIVE,
    NOT_TESTABLE,
    OPPOSITE,
    REPRODUCED,
    SAME_DIRECTION,
    Word,
    printed,
)
from kit.records.record import Record
from kit.records.session import Session
from kit.study.model import Range, Study, TrainingClaim, Variant

_DIVERGED = 1e12
"""A value whose size reaches this counts as not finite."""


@dataclass(frozen=True)
class TrainingResult:
    """The last-epoch values of one arm's fits in timed runs, against the paper's range.

    ``inside`` counts the fits in the range; ``left_out`` those with a value that
    is not finite or not recorded. The numbers are None if no fit has a value.
    """

    arm: str
    quantity: str
    fits: int
    low: float | None
    high: float | None
    mean: float | None
    paper: Range
    inside: int
    left_out: int

    @property
    def word(self) -> str:
        """Return where the fits lie relative to the paper's range.

        The word is "inside", "overlapping", "outside" or, without any value, "unknown".
        """
        if self.low is None or self.high is None:
            return "unknown"
        if self.paper.low <= self.low and self.high <= self.paper.high:
            return "inside"
        touching = self.low <= self.paper.high and self.paper.low <= self.high
        return "overlapping" if touching else "outside"


def trained(session: Session, study: Study) -> tuple[TrainingResult, ...]:
    """Return loss and accuracy of every arm, over all fits of its timed runs with a record.

    Of a run that was made again, the last one counts.
    """
    rows = []
    last = {entry.run_id: entry for entry in session.timed()}.values()
    for arm in session.header.plan.arms:
        records = [e.record for e in last if e.arm == arm and e.record is not None]
        fits = [fit for record in records for fit in record.fits]
        losses = [_last(fit.losses) for fit in fits]
        accuracies = [_last(fit.accuracies) for fit in fits]
        values = {"loss": losses, "accuracy": accuracies}
        rows += [_against(arm, name, values[name], r) for name, r in study.paper.last_epoch.items()]
    return tuple(rows)


def _against(arm: str, quantity: str, values: Sequence[float], paper: Range) -> TrainingResult:
    good = [value for value in values if math.isfinite(value)]
    return TrainingResult(
        arm=arm,
        quantity=quantity,
        fits=len(values),
        low=min(good) if good else None,
        high=max(good) if good else None,
        mean=fmean(good) if good else None,
        paper=paper,
        inside=sum(paper.low <= value <= paper.high for value in good),
        left_out=len(values) - len(good),
    )


@dataclass(frozen=True)
class TrainingVerdict:
    """The verdict on a claim about the results of training, in one variant."""

    claim: TrainingClaim
    variant: Variant
    word: Word
    indicative: bool
    reason: TrainingReason

    @property
    def printed(self) -> str:
        """Return the word to show, marked as indicative if a substitute was used."""
        return printed(self.word, self.indicative)


def judge_training(
    session: Session,
    study: Study,
    variant: Variant,
    blocks: Sequence[PairedBlock],
    missing: Sequence[Lack],
    work: SameWork,
) -> tuple[TrainingVerdict, ...]:
    """Return one verdict per training claim for that variant. Times do not affect it.

    ``missing`` lists what the variant lacks, ``work`` is the result of its same-work checks.
    """
    indicative = not missing and bool(substitutes(study, session.header.fidelity))
    word, reason = _decide(session, study, blocks, missing, work)
    return tuple(
        TrainingVerdict(claim, variant, word, indicative, reason) for claim in study.training
    )


def _decide(
    session: Session,
    study: Study,
    blocks: Sequence[PairedBlock],
    missing: Sequence[Lack],
    work: SameWork,
) -> tuple[Word, TrainingReason]:
    if missing:
        return NOT_TESTABLE, Missing(tuple(missing))
    if not blocks or not study.paper.last_epoch:
        return NOT_TESTABLE, NothingTrained()
    if not work.held:
        return INCONCLUSIVE, OtherWork(tuple(check.name for check in work.broken()))
    words: list[Word] = []
    reasons: list[tuple[str, QuantityReason]] = []
    for quantity, paper in study.paper.last_epoch.items():
        word, reason = _quantity(session, blocks, quantity, paper)
        words.append(word)
        reasons.append((quantity, reason))
    # The least good of them: a claim on both holds where both do.
    order: tuple[Word, ...] = (OPPOSITE, INCONCLUSIVE, SAME_DIRECTION, REPRODUCED)
    return min(words, key=order.index), ByQuantity(tuple(reasons))


def _quantity(
    session: Session, blocks: Sequence[PairedBlock], quantity: str, paper: Range
) -> tuple[Word, QuantityReason]:
    """Test equality of the stacks by two one-sided tests, the paper's range as the margin.

    The margin is the width of that range to either side.
    """
    ends = {e.run_id: _run_mean(e.record, quantity) for e in session.valid_entries() if e.record}
    pairs = [(ends[b.baseline.run_id], ends[b.contender.run_id]) for b in blocks]
    if not all(math.isfinite(value) for pair in pairs for value in pair):
        return INCONCLUSIVE, NotFinite()
    baseline, contender = (fmean(side) for side in zip(*pairs, strict=True))
    means = Means(baseline, contender, paper)
    differences, looks = [a - b for a, b in pairs], session.header.plan.looks
    if len(differences) < fewest(looks):
        return INCONCLUSIVE, OneBlock(means) if len(differences) < 2 else TooFewBlocks(means)
    width = paper.high - paper.low
    # Each of the two tests is one-sided.
    half = half_width(stdev(differences), len(differences), 1 - 2 * ALPHA, looks)
    centre = fmean(differences)
    if abs(centre) - half > width:
        return OPPOSITE, MeansDiffer(means)
    if abs(centre) + half >= width:
        return INCONCLUSIVE, TooFewBlocks(means)
    inside = all(paper.low <= mean <= paper.high for mean in (baseline, contender))
    if inside:
        return REPRODUCED, EqualInRange(means)
    return SAME_DIRECTION, EqualElsewhere(means)


def _run_mean(record: Record, quantity: str) -> float:
    series = [fit.losses if quantity == "loss" else fit.accuracies for fit in record.fits]
    return fmean([_last(values) for values in series] or [math.nan])


def _last(values: Sequence[float]) -> float:
    """Return the value of the last epoch; NaN if there is none or it has diverged."""
    return values[-1] if values and abs(values[-1]) < _DIVERGED else math.nan
