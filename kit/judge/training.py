"""What the arms trained to: last-epoch loss and accuracy against the paper's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from kit.measure.session import Session
from kit.study.model import Range, Study

REMARKS: Mapping[str, str] = {
    "lee-moon-2022": (
        "The paper does not state its TensorFlow version. Reproductions with TensorFlow 2.10.1 "
        "end at losses of 0.67 to 0.72 and accuracies of 0.75 to 0.78: a loss a little above "
        "the figures' range is known and is no sign of other work."
    ),
}
"""By study id, what is known from outside the paper and belongs beside the numbers."""


@dataclass(frozen=True)
class Trained:
    """Last-epoch values of one arm's fits in timed runs, against the paper's range.

    ``inside`` counts the fits in the range; ``left_out`` those with a value that
    is not finite or not recorded. The numbers are None when no fit has a value.
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
        """How the fits lie to the paper's range: inside, overlapping, outside, unknown."""
        if self.low is None or self.high is None:
            return "unknown"
        if self.paper.low <= self.low and self.high <= self.paper.high:
            return "inside"
        touching = self.low <= self.paper.high and self.paper.low <= self.high
        return "overlapping" if touching else "outside"


def trained(session: Session, study: Study) -> tuple[Trained, ...]:
    """Loss and accuracy of every arm of the plan, over all fits of its good timed runs."""
    rows = []
    for arm in session.header.plan.arms:
        records = [e.record for e in session.timed() if e.arm == arm and e.record is not None]
        fits = [fit for record in records for fit in record.fits]
        losses = [fit.losses[-1] if fit.losses else math.nan for fit in fits]
        accuracies = [fit.accuracies[-1] if fit.accuracies else math.nan for fit in fits]
        rows.append(_against(arm, "loss", losses, study.paper.last_epoch_loss))
        rows.append(_against(arm, "accuracy", accuracies, study.paper.last_epoch_accuracy))
    return tuple(rows)


def remark(study: Study) -> str:
    """What is known of the study's losses from outside the paper; empty if nothing."""
    return REMARKS.get(study.id, "")


def _against(arm: str, quantity: str, values: Sequence[float], paper: Range) -> Trained:
    good = [value for value in values if math.isfinite(value)]
    return Trained(
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
