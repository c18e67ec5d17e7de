"""Sensitivity analyses: does the result depend on the assumptions of the t interval?

All tests take the log ratios of the blocks, log(baseline/contender), one per block. SciPy
computes the distributions.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from kit.judge.looks import fewest, repeated_pvalue
from kit.judge.statistics import CONFIDENCE
from kit.plan.model import Looks

ALPHA = 1 - CONFIDENCE
EQUIVALENCE_PERCENT = 2.0
"""Gains within plus or minus this much count as no difference."""
MAX_EXACT = 16
"""Most blocks for which all 2^n sign flips are tried."""
RESAMPLES = 9_999
MIN_RESAMPLES = 999
"""With thousands of blocks the mean is nearly normal, and fewer flips are enough."""
RESAMPLING_SEED = 20220501
_MAX_RANKED = 13  # with more, of which some are alike, SciPy takes the normal distribution
_EQUAL = 100 * sys.float_info.epsilon  # two means, relative
_VALUES_IN_ALL, _VALUES_AT_ONCE = 2_500_000, 1_000_000


@dataclass(frozen=True)
class Sensitivity:
    """The p values, two-sided except for ``equivalence``. None: not defined for these blocks.

    ``equivalence`` is of the two one-sided tests of the hypothesis that the gain lies outside
    plus or minus ``EQUIVALENCE_PERCENT``, or outside the margin of a claim of equality;
    ``permutation_exact``: all sign flips were tried, not a seeded sample of them.
    results.json has the fields by these names.
    """

    t: float | None
    wilcoxon: float | None
    permutation: float | None
    permutation_exact: bool
    equivalence: float | None


def sensitivity(
    logs: Sequence[float],
    margin: tuple[float, float] | None = None,
    looks: Looks | None = None,
) -> Sensitivity:
    """Return all tests over the blocks' log ratios; ``margin`` is a claim's, as log ratios.

    With ``looks`` the t test and the test of equivalence have repeated p values; those of the
    other two tests hold for a single look.
    """
    if len(logs) < fewest(looks):
        return Sensitivity(None, None, None, False, None)
    return Sensitivity(
        t=paired_t_pvalue(logs, looks=looks),
        wilcoxon=_wilcoxon(logs),
        permutation=_permutation(tuple(logs)),
        permutation_exact=len(logs) <= MAX_EXACT,
        equivalence=tost_pvalue(logs, margin, looks),
    )


def holm(p_values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return the p values after Holm's step-down adjustment; None stays None.

    S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J.
    Statist. 6 (1979): the probability of any false rejection stays below alpha.
    statsmodels' function is not used: it runs the garbage collector at each call, which
    takes longer than judging a claim. A test compares the two.
    """
    known = sorted((p, name) for name, p in p_values.items() if p is not None)
    adjusted: dict[str, float | None] = dict.fromkeys(p_values)
    least = 0.0
    for rank, (p, name) in enumerate(known):
        # A step's p is never below an earlier step's.
        least = max(least, min(1.0, p * (len(known) - rank)))
        adjusted[name] = least
    return adjusted


def equivalence_bounds(percent: float = EQUIVALENCE_PERCENT) -> tuple[float, float]:
    """Return the log ratios of gains of minus and of plus ``percent``."""
    return -math.log1p(percent / 100), -math.log1p(-percent / 100)


def _spread(logs: Sequence[float]) -> bool:
    """Return whether the values differ at all: the t tests divide by their spread."""
    return max(logs) > min(logs)


def paired_t_pvalue(logs: Sequence[float], at: float = 0.0, looks: Looks | None = None) -> float:
    """Return the two-sided p value of the paired t test, for two or more log ratios.

    ``at`` is the mean under the null hypothesis. With ``looks`` it is the repeated p value.
    """
    if not _spread(logs):
        return 1.0 if logs[0] == at else 0.0
    if looks is not None:
        return repeated_pvalue(looks, len(logs), _t(logs, at))
    return 2 * _t_below(-abs(_t(logs, at)), logs)


def _t(logs: Sequence[float], at: float) -> float:
    """Return Student's t of one sample against a mean."""
    import numpy as np

    values = np.asarray(logs)
    return float((values.mean() - at) / np.sqrt(values.var(ddof=1) / len(values)))


def _t_below(t: float, logs: Sequence[float]) -> float:
    """Return the probability of a smaller t; SciPy's test functions take a millisecond longer."""
    from scipy.special import stdtr

    return float(stdtr(len(logs) - 1, t))


def _wilcoxon(logs: Sequence[float]) -> float | None:
    """Return the p value of the signed-rank test; None if no log ratio differs from 0.

    With few blocks it is that of all sign flips of the ranks, equal ones sharing their mean rank.
    SciPy's function returns the same number; importing it takes a second of every command, and
    trying the flips of blocks that are alike several.
    """
    import numpy as np

    unlike = [log for log in logs if log]
    if not unlike:
        return None  # the test ranks differences that are not zero, and there is none
    if len(logs) <= _MAX_RANKED:
        sizes, order = np.abs(unlike), np.sort(np.abs(unlike))
        ends = np.searchsorted(order, sizes, "left"), np.searchsorted(order, sizes, "right")
        return _all_flips((np.sign(unlike) * (sum(ends) + 1) / 2).tolist())
    from scipy import stats

    return float(stats.wilcoxon(logs).pvalue)


@lru_cache(maxsize=256)  # looks, reports and verification judge the same blocks again
def _permutation(logs: tuple[float, ...]) -> float:
    """Return the p value of the sign-flip test: with no difference the arms are exchangeable."""
    if len(logs) <= MAX_EXACT:
        return _all_flips(logs)
    import numpy as np
    from scipy import stats

    resamples = min(RESAMPLES, max(MIN_RESAMPLES, _VALUES_IN_ALL // len(logs)))
    result = stats.permutation_test(
        (np.asarray(logs),),
        lambda x, axis: np.mean(x, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        batch=max(1, _VALUES_AT_ONCE // len(logs)),
        rng=np.random.default_rng(RESAMPLING_SEED),
    )
    return float(result.pvalue)


def _all_flips(logs: Sequence[float]) -> float:
    """Return the p value of a mean among those of all sign flips.

    It is that of ``scipy.stats.permutation_test``, which takes a hundred times as long: the same
    sums in the same order, the same tolerance for means that would be equal without rounding.
    """
    import numpy as np

    sums = np.zeros(1)
    for log in logs:
        sums = np.concatenate([sums + log, sums - log])
    means, observed = sums / len(logs), float(np.mean(logs))
    tolerance = abs(_EQUAL * observed)
    fewer = min(
        np.count_nonzero(means <= observed + tolerance),
        np.count_nonzero(means >= observed - tolerance),
    )
    return min(2.0 * int(fewer) / len(means), 1.0)


def tost_pvalue(
    logs: Sequence[float],
    margin: tuple[float, float] | None = None,
    looks: Looks | None = None,
) -> float:
    """Return p of Schuirmann's two one-sided tests, J. Pharmacokinet. Biopharm. 15 (1987).

    ``margin`` holds log ratios; the default is that of ``EQUIVALENCE_PERCENT``. With ``looks``
    both tests have repeated p values.
    """
    low, high = margin or equivalence_bounds()
    if not _spread(logs):
        return 0.0 if low < logs[0] < high else 1.0
    if looks is not None:
        nearest = min(_t(logs, low), -_t(logs, high))
        return repeated_pvalue(looks, len(logs), nearest) / 2 if nearest > 0 else 1.0
    above, below = _t_below(-_t(logs, low), logs), _t_below(_t(logs, high), logs)
    return max(above, below)
