"""The size of an effect: gains in percent, log ratios, and whether an interval says anything.

A gain is ``100 * (baseline - contender) / baseline``.
"""

from __future__ import annotations

import math

from kit.judge.statistics import Estimate, Interval

MAX_INFORMATIVE_RATIO = 20.0
"""An interval that includes no difference and reaches further than this factor to both sides
says nothing. Two blocks give one where their ratios lie a factor of 1.6 apart; a third block
of the same spread narrows it to a factor of 2.3."""


def log_of(gain: float) -> float:
    """Return the log ratio of a gain in percent, plus for faster; infinite from 100 % on."""
    return math.inf if gain >= 100 else -math.log1p(-gain / 100)


def gain_of(log: float) -> float:
    """Return the gain in percent of a log ratio."""
    return -100 * math.expm1(min(-log, 700))


def gains_of(estimate: Estimate) -> tuple[float, ...]:
    """Return the gains that an estimate tells: its own and its interval's ends; () for none."""
    gain, bounds = estimate.gain_percent, estimate.gain_interval
    if gain is None or not is_determined(bounds):
        return ()
    return (gain,) if bounds is None else (gain, bounds.low, bounds.high)


def is_determined(bounds: Interval | None) -> bool:
    """Return whether an interval of gains says anything at all; see ``MAX_INFORMATIVE_RATIO``."""
    if bounds is None or bounds.low > 0 or bounds.high < 0:
        return True
    return log_of(bounds.high) - log_of(bounds.low) <= 2 * math.log(MAX_INFORMATIVE_RATIO)
