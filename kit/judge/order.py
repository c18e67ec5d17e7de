"""Order effects, drift and outliers among the blocks of a session.

None of them excludes a value. Drift hits both arms of a block alike, so it hardly
widens an interval; reports show it because a reader should know.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import correlation, fmean, linear_regression, median, stdev, variance

from kit.judge.pairing import PairedBlock, log_ratios
from kit.judge.statistics import RunStatistics, value_of

OUTLIER_SCORE = 3.5
"""Modified z score above which a block is flagged: B. Iglewicz and D. Hoaglin,
"How to Detect and Handle Outliers" (1993)."""
_SCORE_FACTOR = 0.6745
_NO_SPREAD = 1e-12  # rounding errors of equal log ratios stay below this
MIN_FOR_DRIFT = 3
MIN_FOR_OUTLIERS = 5


@dataclass(frozen=True)
class Drift:
    """An arm's change in time over the session. ``percent`` None: too few runs."""

    arm: str
    percent: float | None
    """Change from the first run to the last, by the fitted line of log seconds."""
    p_value: float | None


@dataclass(frozen=True)
class OrderEffect:
    """The effect of going first in a block: p of Welch's t test on log ratios.

    The counts are of the blocks in which that arm went first. None: too few blocks, or no spread.
    """

    baseline_first: int
    contender_first: int
    p_value: float | None


@dataclass(frozen=True)
class Outlier:
    """A block whose log ratio lies far from the others', with its score. It still counts."""

    block: int
    score: float


def drift(runs: Sequence[RunStatistics], arm: str, statistic: str = "warm_median") -> Drift:
    """Return the trend of a statistic over an arm's runs, in the order they ran.

    The line is that of least squares, its p value the one of the slope: numbers that
    ``scipy.stats.linregress`` returns too, but importing it takes a second of every command.
    """
    values = [value_of(run, statistic) for run in runs if run.arm == arm]
    logs = [math.log(value) for value in values if value is not None]
    if len(logs) < MIN_FOR_DRIFT:
        return Drift(arm, None, None)
    if max(logs) - min(logs) < _NO_SPREAD:
        # SciPy's versions differ on the p value of a line without spread.
        return Drift(arm, 0.0, None)
    order = range(len(logs))
    slope = linear_regression(order, logs).slope
    r, freedom = correlation(order, logs), len(logs) - 2
    t = r * math.sqrt(freedom / max((1 - r) * (1 + r), _NO_SPREAD**2))
    return Drift(arm, 100 * math.expm1(slope * (len(logs) - 1)), _two_sided(t, freedom))


def order_effect(blocks: Sequence[PairedBlock], statistic: str = "warm_median") -> OrderEffect:
    """Test whether the arm that goes first in a block affects the log ratio of the block.

    It compares the blocks where the baseline went first with the others, as
    ``scipy.stats.ttest_ind`` does.
    """
    first = log_ratios(statistic, [block for block in blocks if _baseline_leads(block)])
    second = log_ratios(statistic, [block for block in blocks if not _baseline_leads(block)])
    if min(len(first), len(second)) < 2:
        return OrderEffect(len(first), len(second), None)
    if max(stdev(first), stdev(second)) < _NO_SPREAD:
        return OrderEffect(len(first), len(second), None)
    a, b = variance(first) / len(first), variance(second) / len(second)
    # B. L. Welch, "The generalization of Student's problem", Biometrika 34 (1947).
    freedom = (a + b) ** 2 / (a**2 / (len(first) - 1) + b**2 / (len(second) - 1))
    t = (fmean(first) - fmean(second)) / math.sqrt(a + b)
    return OrderEffect(len(first), len(second), _two_sided(t, freedom))


def outliers(blocks: Sequence[PairedBlock], statistic: str = "warm_median") -> tuple[Outlier, ...]:
    """Return the blocks whose modified z score exceeds ``OUTLIER_SCORE``.

    None of fewer than ``MIN_FOR_OUTLIERS`` blocks is one.
    """
    logs = [(block, log) for block in blocks for log in log_ratios(statistic, [block])]
    if len(logs) < MIN_FOR_OUTLIERS:
        return ()
    centre = median(log for _, log in logs)
    deviation = median(abs(log - centre) for _, log in logs)
    if deviation < _NO_SPREAD:
        return ()
    scored = [(block.block, _SCORE_FACTOR * (log - centre) / deviation) for block, log in logs]
    return tuple(Outlier(b, score) for b, score in scored if abs(score) > OUTLIER_SCORE)


def _two_sided(t: float, freedom: float) -> float:
    """Return the two-sided p value of Student's t."""
    from scipy.special import stdtr

    return 2 * float(stdtr(freedom, -abs(t)))


def _baseline_leads(block: PairedBlock) -> bool:
    return block.baseline.position < block.contender.position
