"""Repeated looks at one session: critical values and p values that stay valid at every look.

A group-sequential session looks at its claims after each block from a first one on. Its
intervals are repeated confidence intervals (C. Jennison and B. W. Turnbull, "Group Sequential
Methods with Applications to Clinical Trials", 2000, chapter 9): with 95 % probability, all of
them together hold the true value, so the session may end at any look, for any reason.

The boundaries are of Wang and Tsiatis' family (Biometrics 43, 1987): at ``k`` of ``most`` blocks
a normal score counts from ``constant * (k / most) ** (shape - 1/2)`` on. Student's t is turned
into the normal score of the same p value.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from kit.plan.model import Looks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = NDArray[np.float64]
    Indices = NDArray[np.intp]
    Chance = Callable[[Values], Values]

_GRID = 40  # points of each of the two grids of states
_NODES = 32  # of Gauss and Legendre's quadrature
_SPREADS = 9.0  # further from its centre a t distribution of many blocks holds nothing
_PRECISION = 1e-9  # of a boundary's constant, relative
_LEAST = 0.01  # a constant whose boundary is crossed almost surely
_MAX_SCORE = 37.0  # a normal score with a p value that is still above 0
_MAX_T = 1e100  # of a tinier p value SciPy's t is infinite, of either sign


def fewest(looks: Looks | None) -> int:
    """Return the fewest blocks with an interval: two, or those of the first look."""
    return 2 if looks is None else looks.first


def critical_t(looks: Looks, blocks: int, alpha: float) -> float:
    """Return the absolute t from which on the mean of so many blocks differs, at level ``alpha``.

    ``alpha`` is the two-sided probability of crossing the boundary at any look. Raise ValueError
    for fewer blocks than the first look has, or more than the last.
    """
    _refuse_no_look(looks, blocks)
    return _t_of(blocks, _constant(looks, alpha) * _slope(looks, blocks))


def repeated_pvalue(looks: Looks, blocks: int, t: float) -> float:
    """Return the repeated p value of Student's t over so many blocks, two-sided.

    It is the probability, without a difference, of reaching at any look a boundary
    that this t would just reach. Half of it is the one-sided p value, but for the chance of
    crossing both sides, below 1e-4. Raise ValueError as ``critical_t``.
    """
    from scipy import special

    _refuse_no_look(looks, blocks)
    score = -float(special.ndtri(special.stdtr(blocks - 1, -abs(t))))
    if score >= _MAX_SCORE:
        return 0.0
    constant = score / _slope(looks, blocks)
    return 1.0 if constant < _LEAST else min(crossing_probability(looks, constant), 1.0)


def _refuse_no_look(looks: Looks, blocks: int) -> None:
    if not looks.first <= blocks <= looks.most:
        raise ValueError(f"no look at {blocks} blocks: from {looks.first} to {looks.most}")


def _slope(looks: Looks, blocks: int) -> float:
    """Return the factor of the boundary's constant at so many blocks."""
    return float((blocks / looks.most) ** (looks.shape - 0.5))


@cache
def _constant(looks: Looks, alpha: float) -> float:
    """Return the constant of the boundary that is crossed with that probability."""
    from scipy import optimize, special

    single = -float(special.ndtri(alpha / 2))

    def off(constant: float) -> float:
        return math.log(crossing_probability(looks, constant) / alpha)

    # With one look it would be the normal quantile; with many it is larger by less than half.
    found: float = optimize.brentq(off, 0.9 * single, 2 * single, rtol=_PRECISION)
    return found


@cache
def crossing_probability(looks: Looks, constant: float) -> float:
    """Return the probability that the boundary is crossed at any look, without a difference.

    Blocks are independent and normal. The sum of ``k`` log ratios over the root of their sum of
    squares is a Markov process: the next value is ``state * cos(a) + sin(a)``, where ``tan(a)``
    times the root of ``k`` has Student's t distribution with ``k`` degrees of freedom. So the
    probability is computed from the last look to the first, one state at a time, as P. Armitage,
    C. K. McPherson and B. C. Rowe (J. R. Statist. Soc. A 132, 1969) do for known spread. Its
    error is below 1e-4 of it, or below 1e-9 where that is more; then it is too large, not too
    small. `tests/unit/test_judge_looks.py` compares it with a simulation and with published
    boundaries.
    """
    import numpy as np
    from scipy import special

    numbers = range(looks.first, looks.most + 1)
    edges = {k: _edge(k, constant * _slope(looks, k)) for k in numbers}
    chance: Chance = _never
    for k in reversed(numbers[:-1]):
        chance = _before(k, edges[k], edges[k + 1], chance)
    first = looks.first
    at_once = 2 * float(special.ndtr(-constant * _slope(looks, first)))
    angles, weights = _quadrature(0.0, math.asin(edges[first] / math.sqrt(first)))
    density = np.exp(_log_density(first - 1) + (first - 2) * np.log(np.cos(angles)))
    later = chance(math.sqrt(first) * np.sin(angles))
    return at_once + 2 * float(np.sum(weights * density * later))


def _never(states: Values) -> Values:
    """Return the chance to cross after the last look."""
    return states * 0.0


def _edge(blocks: int, score: float) -> float:
    """Return the state at which t over so many blocks has that normal score."""
    t = _t_of(blocks, score)
    return min(math.sqrt(blocks) * t / math.sqrt(blocks - 1 + t * t), math.sqrt(blocks))


def _t_of(blocks: int, score: float) -> float:
    """Return Student's t over so many blocks that has a positive normal score."""
    from scipy import special

    t = float(special.stdtrit(blocks - 1, special.ndtr(-min(score, _MAX_SCORE))))
    return min(abs(t), _MAX_T)


def _before(k: int, edge: float, following: float, chance: Chance) -> Chance:
    """Return the chance to cross later, by the state after ``k`` blocks within the edge.

    ``chance`` is that of one block later, whose edge is ``following``. A state beyond ``turn``
    can cross with the next block, so that the chance has a kink there; in the coordinates of
    the two grids, which end at it, it is smooth.
    """
    import numpy as np
    from scipy import special

    share = _shares()
    turn = math.sqrt(max(following * following - 1, 0.0))
    turn = min(max(turn, edge * 1e-9), edge * (1 - 1e-9))
    states = np.concatenate([turn * np.sin(share * math.pi / 2), turn + (edge - turn) * share**2])
    reach = np.sqrt(1 + states * states)
    towards = np.arctan2(1.0, states)
    wide = np.arccos(np.minimum(following / reach, 1.0))
    wide[:_GRID] = 0.0
    low, high = towards - wide, np.minimum(towards + wide, math.pi / 2)

    def above(angle: Values) -> Values:
        return np.asarray(special.stdtr(k, -math.sqrt(k) * np.tan(angle)))

    found = np.where(wide > 0, above(low) - np.where(high < math.pi / 2, above(high), 0.0), 0.0)
    limit = min(math.pi / 2, _SPREADS / math.sqrt(k))
    below = np.clip([np.full_like(low, -limit), high], -limit, limit)
    over = np.clip([low, np.full_like(high, limit)], -limit, limit)
    angles, weights = _quadrature(below, over)
    cosines = np.cos(angles)
    next_states = np.abs(states[:, None] * cosines + np.sin(angles))
    density = np.exp(_log_density(k) + (k - 1) * np.log(cosines))
    left, right = np.sum(weights * density * chance(next_states), axis=2)
    pieces = _pieces((found + left + right).reshape(2, _GRID))

    def interpolated(at: Values) -> Values:
        inside = at <= turn
        within = np.arcsin(np.minimum(at / turn, 1.0)) * 2 / math.pi
        beyond = np.sqrt(np.clip((at - turn) / (edge - turn), 0.0, 1.0))
        return _interpolated(pieces, np.where(inside, 0, 1), np.where(inside, within, beyond))

    return interpolated


@cache
def _shares() -> Values:
    """Return the points of a grid of states, in its own coordinate."""
    import numpy as np

    return np.linspace(0.0, 1.0, _GRID)


def _pieces(values: Values) -> Values:
    """Return the coefficients of a cubic between each two points of a grid; a row is one grid.

    They are those of ``scipy.interpolate.PchipInterpolator`` (F. N. Fritsch and J. Butland, SIAM
    J. Sci. Stat. Comput. 5, 1984) to the last bit, whose checks take most of its time.
    """
    import numpy as np

    steps = np.diff(_shares())
    rises = np.diff(values) / steps
    turning = np.sign(rises[:, 1:]) * np.sign(rises[:, :-1]) <= 0
    ahead, behind = 2 * steps[1:] + steps[:-1], steps[1:] + 2 * steps[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (ahead / rises[:, :-1] + behind / rises[:, 1:]) / (ahead + behind)
        inner = np.where(turning, 0.0, 1.0 / mean)
    first = _end_slope(steps[0], steps[1], rises[:, 0], rises[:, 1])
    last = _end_slope(steps[-1], steps[-2], rises[:, -1], rises[:, -2])
    slopes = np.concatenate([first[:, None], inner, last[:, None]], axis=1)
    bend = (slopes[:, :-1] + slopes[:, 1:] - 2 * rises) / steps
    second = (rises - slopes[:, :-1]) / steps - bend
    return np.stack([values[:, :-1], slopes[:, :-1], second, bend / steps])


def _end_slope(near: float, far: float, rise: Values, next_rise: Values) -> Values:
    """Return the slopes at an end of the grids, from the two steps and rises next to it."""
    import numpy as np

    slope = ((2 * near + far) * rise - near * next_rise) / (near + far)
    steep = (np.sign(rise) != np.sign(next_rise)) & (np.abs(slope) > 3.0 * np.abs(rise))
    return np.where(np.sign(slope) != np.sign(rise), 0.0, np.where(steep, 3.0 * rise, slope))


def _interpolated(pieces: Values, grid: Indices, at: Values) -> Values:
    """Return the values at the coordinates, each on its grid."""
    import numpy as np

    shares = _shares()
    # The product may be rounded up to the next point, or down from one.
    index = np.minimum((at * (_GRID - 1)).astype(np.intp), _GRID - 2)
    index -= shares.take(index) > at
    index += (shares.take(index + 1) <= at) & (index < _GRID - 2)
    value, slope, second, third = pieces.reshape(4, -1).take(grid * (_GRID - 1) + index, axis=1)
    over = at - shares.take(index)
    square = over * over
    return np.asarray(value + slope * over + second * square + third * (square * over))


def _quadrature(low: float | Values, high: float | Values) -> tuple[Values, Values]:
    """Return the nodes and weights of an integral from low to high, one row for each pair."""
    import numpy as np

    nodes, weights = _gauss_legendre()
    low, high = np.asarray(low, float)[..., None], np.asarray(high, float)[..., None]
    half = (high - low) / 2
    return low + half * (nodes + 1), half * weights


@cache
def _gauss_legendre() -> tuple[Values, Values]:
    import numpy as np

    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return np.asarray(nodes), np.asarray(weights)


def _log_density(freedom: int) -> float:
    """Return the logarithm of the constant of the density of the angle of Student's t."""
    return math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - math.log(math.pi) / 2
