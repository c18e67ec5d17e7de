"""Power and sample size: the blocks a claim needs, and the effect that blocks can detect.

A claim is reproduced if its direction is found, its size lies in the claim's band, and
the controls hold; the power is that of all of them together. A claim of equality has no
direction: two one-sided tests have to put the effect inside its margin. All tests are
paired t tests over blocks on log ratios.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from kit.judge.effects import log_of
from kit.judge.sensitivity import ALPHA
from kit.judge.statistics import gain_percent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

POWERS = (0.8, 0.9)
"""The powers that kit plans for."""
PILOT_CONFIDENCE = 0.8
"""Confidence of the one-sided upper bound that kit takes for the SD, given a pilot's."""
MIN_BLOCKS = 2
MAX_BLOCKS = 1000
"""Limit of the search for a number of blocks."""
SIZE_CONFIDENCE = 0.99
"""Level of the interval that must hold a known slowdown: higher than the claims', so
that one in a hundred sound sessions fails, not one in twenty."""
_POINTS = 1000  # of the average over the SD; more do not change a number of blocks


@dataclass(frozen=True)
class SampleSize:
    """The blocks needed to reach one power; None: more than ``MAX_BLOCKS``.

    ``blocks`` is for everything together, the others are for that part only. ``direction`` is None
    too for a claim of equality, and ``slowed`` if no positive control is planned.
    """

    power: float
    blocks: int | None
    direction: int | None
    size: int | None
    slowed: int | None


@dataclass(frozen=True)
class PowerTarget:
    """The conditions for a claim to be reproduced.

    ``gain`` and ``band`` are percent, as published; a gain of 0 is a claim of equality, with its
    margin as the band. ``claims`` is the number of measured claims in Holm's adjustment.
    ``slowed`` is the log ratio of the positive control, ``placebo`` whether there is one; a
    control that fails caps the verdict.
    """

    gain: float
    band: tuple[float, float]
    claims: int = 1
    slowed: float | None = None
    placebo: bool = False


def effect_of(gain: float) -> float:
    """Return the absolute log ratio of a gain in percent. Raise ValueError from 100 % on."""
    if gain >= 100:
        raise ValueError(f"a gain of {gain:g} % would take no time at all")
    return abs(log_of(gain))


def power_of(sd_log: float, gain: float, blocks: int, alpha: float = ALPHA) -> float:
    """Return the power of ``blocks`` blocks to detect a true gain in percent.

    Raise ValueError for a gain of 100 % or more.
    """
    return _power(sd_log, effect_of(gain), blocks, alpha)


def _power(sd_log: float, effect: float, blocks: int, alpha: float) -> float:
    """Return the power of the two-sided t test, by the noncentral t distribution.

    ``statsmodels.stats.power.ttest_power`` returns the same number but takes fifty times as long,
    and a plan needs hundreds.
    """
    from scipy import special

    if blocks < MIN_BLOCKS:
        return 0.0
    if sd_log == 0:
        return 1.0
    freedom, shift = blocks - 1, effect / sd_log * math.sqrt(blocks)
    critical = float(special.stdtrit(freedom, alpha / 2))
    above = 1 - float(special.nctdtr(freedom, shift, -critical))
    power = above + float(special.nctdtr(freedom, shift, critical))
    # Far above what any plan needs, the noncentral t underflows.
    return 1.0 if math.isnan(power) else power


def size_power(
    sd_log: float, at: float, low: float, high: float, blocks: int, alpha: float = ALPHA / 2
) -> float:
    """Return the probability that the interval lies within low to high, all log ratios.

    ``at`` is the true log ratio. This is the power of two one-sided tests, each at ``alpha``:
    given the blocks' SD it follows from the normal distribution, and it is averaged over the
    chi-square distribution of that SD (K. F. Phillips, "Power of the two one-sided tests
    procedure in bioequivalence", J. Pharmacokinet. Biopharm. 18, 1990).
    """
    import numpy as np
    from scipy import special

    if blocks < MIN_BLOCKS or not low <= at <= high:
        return 0.0
    if sd_log == 0:
        return 1.0
    error = sd_log / math.sqrt(blocks)
    half = special.stdtrit(blocks - 1, 1 - alpha) * (error * _spreads(blocks - 1))
    within = special.ndtr((high - half - at) / error) - special.ndtr((low + half - at) / error)
    return float(np.clip(within, 0.0, None).mean())


@cache  # a search asks for the same few numbers of blocks again and again
def _spreads(freedom: int) -> NDArray[np.float64]:
    """Return evenly spaced quantiles of the sample SD of a normal population with SD 1."""
    import numpy as np
    from scipy import special

    share = (np.arange(_POINTS) + 0.5) / _POINTS
    found: NDArray[np.float64] = np.sqrt(2 * special.gammaincinv(freedom / 2, share) / freedom)
    return found


def blocks_needed(sd_log: float, gain: float, power: float, alpha: float = ALPHA) -> int | None:
    """Return the fewest blocks that detect a true gain in percent with that power; None: too many.

    None also for a gain of 0, which cannot be detected, and from 100 % on, which is impossible.
    """
    if gain == 0 or gain >= 100:
        return None
    return _fewest(lambda blocks: power_of(sd_log, gain, blocks, alpha), power)


def blocks_for_size(
    sd_log: float, gain: float, band: tuple[float, float], power: float
) -> int | None:
    """Return the fewest blocks that show whether a true gain lies in the band; None: too many.

    ``gain`` and ``band`` are percent. For a gain inside the band, the interval must lie within
    it; for one outside, clear of it.
    """
    at, low, high = log_of(gain), log_of(band[0]), log_of(band[1])
    if low <= at <= high:
        return _fewest(lambda blocks: size_power(sd_log, at, low, high, blocks), power)
    off = low - at if at < low else at - high
    return _fewest(lambda blocks: _power(sd_log, off, blocks, ALPHA), power)


def blocks_for_equality(
    sd_log: float, margin: tuple[float, float], power: float, alpha: float
) -> int | None:
    """Return the fewest blocks that show equal arms inside a margin of log ratios; None: too many.

    ``alpha`` is the level of each of the two one-sided tests.
    """
    low, high = margin
    return _fewest(lambda blocks: size_power(sd_log, 0.0, low, high, blocks, alpha), power)


def sample_sizes(sd_log: float, control_sd: float, target: PowerTarget) -> tuple[SampleSize, ...]:
    """Return the blocks needed for a target at each power of ``POWERS``.

    ``sd_log`` is the SD of the claim's statistic, ``control_sd`` that of the statistic that
    the positive control is judged on; both are of log ratios.
    """
    return tuple(_need(sd_log, control_sd, target, power) for power in POWERS)


def blocks_for(sd_log: float, control_sd: float, target: PowerTarget, power: float) -> int | None:
    """Return the fewest blocks in which every part of a target succeeds; None: too many."""
    if target.gain >= 100:
        return None
    return _fewest(lambda blocks: joint_power(sd_log, control_sd, target, blocks), power)


def joint_power(sd_log: float, control_sd: float, target: PowerTarget, blocks: int) -> float:
    """Return a lower bound of the power for direction, size and controls of a target together.

    The probabilities of failing are added up (Boole's inequality), because the parts use the
    same runs and are not independent. The placebo fails at rate alpha for any number of blocks.
    """
    failing = 1 - _size(sd_log, target, blocks)
    if target.gain != 0:
        failing += 1 - power_of(sd_log, target.gain, blocks, ALPHA / target.claims)
    if target.slowed is not None:
        failing += 1 - _power(control_sd, target.slowed, blocks, ALPHA) + 1 - SIZE_CONFIDENCE
    if target.placebo:
        failing += ALPHA
    return max(0.0, 1 - failing)


def _size(sd_log: float, target: PowerTarget, blocks: int) -> float:
    """Return the power to settle the size; Holm's adjustment lowers alpha for equality only."""
    low, high = target.band
    alpha = ALPHA / target.claims if target.gain == 0 else ALPHA / 2
    return size_power(sd_log, log_of(target.gain), log_of(low), log_of(high), blocks, alpha)


def _need(sd_log: float, control_sd: float, target: PowerTarget, power: float) -> SampleSize:
    slowed = target.slowed
    return SampleSize(
        power=power,
        blocks=blocks_for(sd_log, control_sd, target, power),
        direction=blocks_needed(sd_log, target.gain, power, ALPHA / target.claims),
        size=_fewest(lambda blocks: _size(sd_log, target, blocks), power),
        slowed=None
        if slowed is None
        else _fewest(lambda blocks: _power(control_sd, slowed, blocks, ALPHA), power),
    )


def _fewest(chance: Callable[[int], float], wanted: float) -> int | None:
    """Return the fewest blocks with the wanted chance, which only rises with their number."""
    if chance(MAX_BLOCKS) < wanted:
        return None
    low, high = MIN_BLOCKS, MAX_BLOCKS
    while low < high:
        middle = (low + high) // 2
        if chance(middle) >= wanted:
            high = middle
        else:
            low = middle + 1
    return low


def detectable_gain(sd_log: float, blocks: int, power: float = POWERS[0]) -> float | None:
    """Return the smallest gain in percent that so many blocks detect with that power.

    None for fewer than two blocks.
    """
    from statsmodels.stats.power import TTestPower

    if blocks < MIN_BLOCKS:
        return None
    if sd_log == 0:
        return 0.0
    size = TTestPower().solve_power(nobs=blocks, alpha=ALPHA, power=power)
    return gain_percent(math.exp(float(size) * sd_log))


def planning_sd(sd_log: float, pilot_blocks: int) -> float:
    """Return the SD to plan with, from a pilot's.

    A few blocks estimate the SD badly, and a plan made from one that is small by chance
    is too short. So this is the upper end of a one-sided chi-square interval: R. H. Browne,
    "On the use of a pilot sample for sample size determination", Statistics in Medicine 14
    (1995). Raise ValueError for fewer than two blocks.
    """
    from scipy import special

    if pilot_blocks < MIN_BLOCKS:
        raise ValueError(f"{pilot_blocks} pilot blocks tell nothing about the spread")
    freedom = pilot_blocks - 1
    return sd_log * math.sqrt(freedom / float(special.chdtri(freedom, PILOT_CONFIDENCE)))
