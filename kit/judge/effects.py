"""The size of an effect: gains in percent, log ratios, and whether an interval is informative.

A gain is ``100 * (baseline - contender) / baseline``.
"""

from __future__ import annotations

import math

from kit.judge.statistics import Estimate, Interval

MAX_INFORMATIVE_RATIO = 20.0
"""An interval that includes 1 and reaches further than this factor to both sides is not
informative. Two blocks give one if their ratios lie a factor of 1.6 apart; a third block
of the same spread narrows it to a factor of 2.3."""


def log_of(gain: float) -> float:
    """Return the log ratio, baseline over contender, of a gain in percent.

    It is positive for a faster contender, infinite from 100 % on.
    """
    return math.inf if gain >= 100 else -math.log1p(-gain / 100)


def gain_of(log: float) -> float:
    """Return the gain in percent of a log ratio (natural logarithm, baseline over contender)."""
    return -100 * math.expm1(min(-log, 700))


def gains_of(estimate: Estimate) -> tuple[float, ...]:
    """Return an estimate's gain and the ends of its interval; () if it is not informative."""
    gain, bounds = estimate.gain_percent, estimate.gain_interval
    if gain is None or not is_informative(bounds):
        return ()
    return (gain,) if bounds is None else (gain, bounds.low, bounds.high)


def is_informative(bounds: Interval | None) -> bool:
    """Return whether an interval of gains in percent is informative; None (no interval) counts.

    See ``MAX_INFORMATIVE_RATIO``.
    """
    if bounds is None or bounds.low > 0 or bounds.high < 0:
        return True
    return log_of(bounds.high) - log_of(bounds.low) <= 2 * math.log(MAX_INFORMATIVE_RATIO)
