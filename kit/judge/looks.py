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
    from scipy.interpolate import PchipInterpolator

    share = np.linspace(0.0, 1.0, _GRID)
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
    for start, end in ((np.full_like(low, -limit), low), (high, np.full_like(high, limit))):
        angles, weights = _quadrature(np.clip(start, -limit, limit), np.clip(end, -limit, limit))
        next_states = np.abs(states[:, None] * np.cos(angles) + np.sin(angles))
        density = np.exp(_log_density(k) + (k - 1) * np.log(np.cos(angles)))
        found = found + np.sum(weights * density * chance(next_states), axis=1)
    inner = PchipInterpolator(share, found[:_GRID])
    outer = PchipInterpolator(share, found[_GRID:])

    def interpolated(at: Values) -> Values:
        within = np.arcsin(np.minimum(at / turn, 1.0)) * 2 / math.pi
        beyond = np.sqrt(np.clip((at - turn) / (edge - turn), 0.0, 1.0))
        return np.asarray(np.where(at <= turn, inner(within), outer(beyond)))

    return interpolated


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
