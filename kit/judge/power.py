"""How many blocks an effect needs, and which effect a number of blocks can show.

For the paired t test over blocks on log ratios; the power of the t test is
statsmodels' (noncentral t), not our own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from kit.judge.robustness import ALPHA
from kit.judge.statistics import gain_percent

POWERS = (0.8, 0.9)
"""The chances of finding a true effect that a plan is made for."""
PILOT_CONFIDENCE = 0.8
"""One-sided: a pilot's spread is raised to what it exceeds in one case out of five."""
LEAST_BLOCKS = 2
MOST_BLOCKS = 1000
"""Where the search for a number of blocks gives up."""


@dataclass(frozen=True)
class Need:
    """Blocks needed at one power; None: more than ``MOST_BLOCKS``."""

    power: float
    blocks: int | None


def effect_of(gain: float) -> float:
    """A gain in percent as the size of its log ratio. Raises ValueError for 100 % and more."""
    if gain >= 100:
        raise ValueError(f"a gain of {gain:g} % would take no time at all")
    return abs(math.log1p(-gain / 100.0))


def power_of(sd_log: float, gain: float, blocks: int) -> float:
    """The chance that so many blocks find a true gain of that many percent."""
    from statsmodels.stats.power import TTestPower

    if blocks < LEAST_BLOCKS:
        return 0.0
    if sd_log == 0:
        return 1.0
    power = float(TTestPower().power(effect_of(gain) / sd_log, blocks, ALPHA))
    # Far above what any plan needs, the noncentral t underflows.
    return 1.0 if math.isnan(power) else power


def blocks_needed(sd_log: float, gain: float, power: float) -> int | None:
    """The fewest blocks that find a true gain with that chance; None: too many.

    None also for a gain of 0, which nothing can find, and of 100 % and more, which
    no time has.
    """
    if gain == 0 or gain >= 100 or power_of(sd_log, gain, MOST_BLOCKS) < power:
        return None
    low, high = LEAST_BLOCKS, MOST_BLOCKS
    while low < high:  # power only rises with n
        middle = (low + high) // 2
        if power_of(sd_log, gain, middle) >= power:
            high = middle
        else:
            low = middle + 1
    return low


def needs(sd_log: float, gain: float) -> tuple[Need, ...]:
    """Blocks needed for a gain at each power of ``POWERS``."""
    return tuple(Need(power, blocks_needed(sd_log, gain, power)) for power in POWERS)


def detectable_gain(sd_log: float, blocks: int, power: float = POWERS[0]) -> float | None:
    """The smallest gain in percent that so many blocks find with that chance.

    None for fewer than two blocks.
    """
    from statsmodels.stats.power import TTestPower

    if blocks < LEAST_BLOCKS:
        return None
    if sd_log == 0:
        return 0.0
    size = TTestPower().solve_power(nobs=blocks, alpha=ALPHA, power=power)
    return gain_percent(math.exp(float(size) * sd_log))


def planning_sd(sd_log: float, pilot_blocks: int) -> float:
    """The spread to plan with, from a pilot's.

    A handful of blocks tells the spread badly, and a plan made from one that came
    out small by chance falls short. So the upper end of a one-sided chi-square
    interval is taken: R. H. Browne, "On the use of a pilot sample for sample size
    determination", Statistics in Medicine 14 (1995). Raises ValueError for fewer
    than two blocks.
    """
    from scipy import stats

    if pilot_blocks < LEAST_BLOCKS:
        raise ValueError(f"{pilot_blocks} pilot blocks tell nothing about the spread")
    freedom = pilot_blocks - 1
    return sd_log * math.sqrt(freedom / float(stats.chi2.ppf(1 - PILOT_CONFIDENCE, freedom)))
