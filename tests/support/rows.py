"""Many sessions at once: numpy's rows are sessions, their columns blocks of log ratios.

The judge looks at one session; a simulation of thousands computes the same numbers here.
`tests/unit/test_judge_simulations.py` holds the two together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from kit.judge.sensitivity import equivalence_bounds
from kit.judge.statistics import CONFIDENCE, half_width

Rows = NDArray[np.float64]


def intervals(logs: Rows, confidence: float = CONFIDENCE) -> tuple[Rows, Rows]:
    """Return the ends of each row's t interval, as log ratios."""
    centre = logs.mean(axis=1)
    half = half_width(1.0, logs.shape[1], confidence) * logs.std(axis=1, ddof=1)
    return centre - half, centre + half


def paired_t_pvalues(logs: Rows, at: float | Rows = 0.0) -> Rows:
    """Return each row's two-sided p that its mean differs from ``at``."""
    return 2 * _below(logs, -np.abs(logs.mean(axis=1) - at))


def tost_pvalues(logs: Rows, margin: tuple[float, float] | None = None) -> Rows:
    """Return each row's p of the two one-sided tests."""
    low, high = margin or equivalence_bounds()
    centre = logs.mean(axis=1)
    return np.maximum(_below(logs, low - centre), _below(logs, centre - high))


def _below(logs: Rows, off: Rows) -> Rows:
    blocks = logs.shape[1]
    return stdtr(blocks - 1, off * np.sqrt(blocks) / logs.std(axis=1, ddof=1))
