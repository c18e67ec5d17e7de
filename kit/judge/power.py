"""How many blocks a claim needs, and which effect a number of blocks can show.

A claim is reproduced where its direction is found, its size lies in the claim's band, and
the controls hold: all of that is counted. A claim of equality has no direction: two one-sided
tests have to put the effect inside its margin. Paired t intervals over blocks on log ratios.
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
"""The chances of finding a true effect that a plan is made for."""
PILOT_CONFIDENCE = 0.8
"""One-sided: a pilot's spread is raised to what it exceeds in one case out of five."""
MIN_BLOCKS = 2
MAX_BLOCKS = 1000
"""Where the search for a number of blocks gives up."""
SIZE_CONFIDENCE = 0.99
"""Of the interval that must hold a known slowdown: a wider one than the claims', so
that a good session is called bad once in a hundred times, not in twenty."""
_POINTS = 1000  # of the average over the SD; more change no number of blocks


@dataclass(frozen=True)
class Need:
    """Blocks needed at one power; None: more than ``MAX_BLOCKS``.

    ``blocks`` for everything together, the others for that part of it alone. ``direction`` is
    None too for a claim of equality, and ``slowed`` where no positive control is planned.
    """

    power: float
    blocks: int | None
    direction: int | None
    size: int | None
    slowed: int | None


@dataclass(frozen=True)
class Aim:
    """Everything that must succeed for a claim to be called reproduced.

    ``gain`` and ``band`` are percent, as published; a gain of 0 is a claim of equality, with its
    margin as the band. ``claims`` counts the measured claims
    among which Holm's adjustment is made. ``slowed`` is the log ratio of the positive
    control and ``placebo`` whether there is one; a control that fails caps the verdict.
    """

    gain: float
    band: tuple[float, float]
    claims: int = 1
    slowed: float | None = None
    placebo: bool = False


def effect_of(gain: float) -> float:
    """A gain in percent as the size of its log ratio. Raises ValueError for 100 % and more."""
    if gain >= 100:
        raise ValueError(f"a gain of {gain:g} % would take no time at all")
    return abs(log_of(gain))


def power_of(sd_log: float, gain: float, blocks: int, alpha: float = ALPHA) -> float:
    """The chance that so many blocks find a true gain of that many percent."""
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
    """Return the chance that the interval lies within low to high, all log ratios.

    ``at`` is the true log ratio. That is the power of two one-sided tests, each at ``alpha``:
    given the blocks' SD the chance is normal, and it is averaged over the
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
    """Return SDs of samples of a normal population with SD 1, evenly spread over their chances."""
    import numpy as np
    from scipy import special

    share = (np.arange(_POINTS) + 0.5) / _POINTS
    found: NDArray[np.float64] = np.sqrt(2 * special.gammaincinv(freedom / 2, share) / freedom)
    return found


def blocks_needed(sd_log: float, gain: float, power: float, alpha: float = ALPHA) -> int | None:
    """The fewest blocks that find a true gain with that chance; None: too many.

    None also for a gain of 0, which nothing can find, and of 100 % and more, which
    no time has.
    """
    if gain == 0 or gain >= 100:
        return None
    return _fewest(lambda blocks: power_of(sd_log, gain, blocks, alpha), power)


def blocks_to_settle(
    sd_log: float, gain: float, band: tuple[float, float], power: float
) -> int | None:
    """The fewest blocks that tell whether a true gain lies in the band; None: too many.

    Inside it the interval must lie within the band, outside of it clear of the band.
    """
    at, low, high = log_of(gain), log_of(band[0]), log_of(band[1])
    if low <= at <= high:
        return _fewest(lambda blocks: size_power(sd_log, at, low, high, blocks), power)
    off = low - at if at < low else at - high
    return _fewest(lambda blocks: _power(sd_log, off, blocks, ALPHA), power)


def blocks_for_equality(
    sd_log: float, margin: tuple[float, float], power: float, alpha: float
) -> int | None:
    """Return the fewest blocks that put equal arms inside a margin of log ratios; None: too many.

    ``alpha`` is the level of each of the two one-sided tests.
    """
    low, high = margin
    return _fewest(lambda blocks: size_power(sd_log, 0.0, low, high, blocks, alpha), power)


def needs(sd_log: float, control_sd: float, aim: Aim) -> tuple[Need, ...]:
    """Blocks needed for all of an aim at each power of ``POWERS``.

    ``sd_log`` is the spread of the claim's statistic, ``control_sd`` of the one that the
    positive control is judged on.
    """
    return tuple(_need(sd_log, control_sd, aim, power) for power in POWERS)


def blocks_for(sd_log: float, control_sd: float, aim: Aim, power: float) -> int | None:
    """The fewest blocks in which all of an aim succeeds with that chance; None: too many."""
    if aim.gain >= 100:
        return None
    return _fewest(lambda blocks: chance_of_all(sd_log, control_sd, aim, blocks), power)


def chance_of_all(sd_log: float, control_sd: float, aim: Aim, blocks: int) -> float:
    """Return the least chance that direction, size and controls of an aim all succeed.

    The chances of failing are added up (Boole's inequality), for the parts rest on the
    same runs and are not independent. The placebo fails by chance alone, whatever the
    number of blocks.
    """
    failing = 1 - _size(sd_log, aim, blocks)
    if aim.gain != 0:
        failing += 1 - power_of(sd_log, aim.gain, blocks, ALPHA / aim.claims)
    if aim.slowed is not None:
        failing += 1 - _power(control_sd, aim.slowed, blocks, ALPHA) + 1 - SIZE_CONFIDENCE
    if aim.placebo:
        failing += ALPHA
    return max(0.0, 1 - failing)


def _size(sd_log: float, aim: Aim, blocks: int) -> float:
    """The chance that the size is settled; of equality alone Holm's adjustment asks for more."""
    low, high = aim.band
    alpha = ALPHA / aim.claims if aim.gain == 0 else ALPHA / 2
    return size_power(sd_log, log_of(aim.gain), log_of(low), log_of(high), blocks, alpha)


def _need(sd_log: float, control_sd: float, aim: Aim, power: float) -> Need:
    slowed = aim.slowed
    return Need(
        power=power,
        blocks=blocks_for(sd_log, control_sd, aim, power),
        direction=blocks_needed(sd_log, aim.gain, power, ALPHA / aim.claims),
        size=_fewest(lambda blocks: _size(sd_log, aim, blocks), power),
        slowed=None
        if slowed is None
        else _fewest(lambda blocks: _power(control_sd, slowed, blocks, ALPHA), power),
    )


def _fewest(chance: Callable[[int], float], wanted: float) -> int | None:
    """The fewest blocks with that chance, which only rises with their number."""
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
    """The smallest gain in percent that so many blocks find with that chance.

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
    """The spread to plan with, from a pilot's.

    A handful of blocks tells the spread badly, and a plan made from one that came
    out small by chance falls short. So the upper end of a one-sided chi-square
    interval is taken: R. H. Browne, "On the use of a pilot sample for sample size
    determination", Statistics in Medicine 14 (1995). Raises ValueError for fewer
    than two blocks.
    """
    from scipy import special

    if pilot_blocks < MIN_BLOCKS:
        raise ValueError(f"{pilot_blocks} pilot blocks tell nothing about the spread")
    freedom = pilot_blocks - 1
    return sd_log * math.sqrt(freedom / float(special.chdtri(freedom, PILOT_CONFIDENCE)))
