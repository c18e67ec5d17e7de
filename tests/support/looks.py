"""Many group-sequential sessions at once: rows are sessions, columns the blocks of each.

`kit.judge.stop` looks at one session; a simulation of thousands follows the same rule here.
`tests/method/test_sequential.py` holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from kit.judge.effects import log_of
from kit.judge.looks import critical_t
from kit.judge.sensitivity import ALPHA, equivalence_bounds
from kit.judge.stop import SPREAD_CONFIDENCE
from kit.plan.model import Looks
from kit.study.model import Claim
from support.rows import Rows

Words = NDArray[np.int64]
OPEN, REPRODUCED, EQUIVALENT, OTHER_SIZE, OPPOSITE, SIZE_OPEN = range(6)
SETTLED = (REPRODUCED, EQUIVALENT, OTHER_SIZE, OPPOSITE)
_VALUES = np.linspace(-1, 1, 9)


@dataclass(frozen=True)
class Ended:
    """Of each session: its blocks, its word, and the ends of its interval as log ratios."""

    blocks: Words
    words: Words
    low: Rows
    high: Rows


def fixed(logs: Rows, claim: Claim, blocks: Words) -> Ended:
    """Return sessions that judge their first so many blocks once."""
    number = np.arange(1, logs.shape[1] + 1)
    freedom = np.maximum(number - 1, 1)
    half, one_sided = (-special.stdtrit(freedom, alpha) for alpha in (ALPHA / 2, ALPHA))
    return _at(blocks, *_words(logs, claim, half, one_sided))


def sequential(logs: Rows, claim: Claim, looks: Looks, futility: float) -> Ended:
    """Return sessions that end by the rule for direction and size."""
    most = looks.most
    half, one_sided = (
        np.array([np.inf] * (looks.first - 1) + [critical_t(looks, n, alpha) for n in later(looks)])
        for alpha in (ALPHA, 2 * ALPHA)
    )
    words, low, high = _words(logs, claim, half, one_sided)
    ends = np.isin(words, SETTLED)
    ends |= _chance(logs, claim, half[-1], one_sided[-1], words) < futility
    ends[:, : looks.first - 1] = False
    ends[:, most - 1] = True
    return _at(ends.argmax(axis=1) + 1, words, low, high)


def later(looks: Looks) -> range:
    """Return the numbers of blocks with a look."""
    return range(looks.first, looks.most + 1)


def _at(blocks: Words, words: Words, low: Rows, high: Rows) -> Ended:
    row = np.arange(len(blocks))
    return Ended(blocks, *(each[row, blocks - 1] for each in (words, low, high)))


def _moments(logs: Rows) -> tuple[Rows, Rows, Rows]:
    """Return the running mean and SD of each row, and the numbers of blocks."""
    number = np.arange(1, logs.shape[1] + 1.0)
    mean = logs.cumsum(axis=1) / number
    squares = (logs**2).cumsum(axis=1) - number * mean**2
    return mean, np.sqrt(np.maximum(squares, 1e-300) / np.maximum(number - 1, 1)), number


def _words(logs: Rows, claim: Claim, half: Rows, one_sided: Rows) -> tuple[Words, Rows, Rows]:
    """Return word and interval after each block, for a claim that is faster."""
    mean, sd, number = _moments(logs)
    error = sd / np.sqrt(number)
    low, high = mean - half * error, mean + half * error
    least, most = equivalence_bounds()
    band = log_of(claim.band_percent.low), log_of(claim.band_percent.high)
    as_claimed, against = low > 0, high < 0
    reproduced = as_claimed & (low >= band[0]) & (high <= band[1])
    equal = (mean - one_sided * error > least) & (mean + one_sided * error < most)
    small = np.abs(100 * (1 - np.exp(-mean))) < 2
    apart = (high < band[0]) | (low > band[1])
    words = np.select(
        [
            reproduced,
            equal,
            (as_claimed | against) & small,
            as_claimed & apart,
            as_claimed,
            against,
        ],
        [REPRODUCED, EQUIVALENT, OPEN, OTHER_SIZE, SIZE_OPEN, OPPOSITE],
        OPEN,
    )
    return words, low, high


def _chance(logs: Rows, claim: Claim, half: float, one_sided: float, words: Words) -> Rows:
    """Return the best case's chance to settle more by the last block, after each block."""
    mean, sd, number = _moments(logs)
    most = logs.shape[1]
    freedom = np.maximum(number - 1, 1)
    least = sd * np.sqrt(freedom / special.chdtri(freedom, 1 - SPREAD_CONFIDENCE))
    interval = -special.stdtrit(freedom, ALPHA / 2) * sd / np.sqrt(number)
    best = np.zeros_like(mean)
    for share in _VALUES:
        truth = mean + share * interval
        centre = (number * mean + (most - number) * truth) / most
        error = np.maximum(least * np.sqrt(most - number) / most, 1e-12)
        size, direction = _settling(claim, half, one_sided, least / np.sqrt(most))
        chances = [
            sum(
                np.where(
                    b > a,
                    special.ndtr((b - centre) / error) - special.ndtr((a - centre) / error),
                    0,
                )
                for a, b in ranges
            )
            for ranges in (direction, size)
        ]
        best = np.maximum(best, np.where(words == OPEN, *chances))
    return best


def _settling(claim: Claim, half: float, one_sided: float, error: Rows):
    """Return the ranges of the last mean that settle the size, and those for the direction."""
    least, most = equivalence_bounds()
    low, high = log_of(claim.band_percent.low), log_of(claim.band_percent.high)
    half, one_sided = half * error, one_sided * error
    above, below = np.maximum(half, most), np.minimum(-half, least)
    equal = least + one_sided, most - one_sided
    inf = np.inf
    size = (
        equal,
        (np.maximum(np.maximum(low + half, half), equal[1]), high - half),
        (np.maximum(high + half, above), inf),
        (above, low - half),
        (-inf, below),
    )
    return size, (equal, (above, inf), (-inf, below))
