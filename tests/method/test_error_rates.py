"""How often intervals and tests err, by simulation of whole sessions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from support.rows import intervals, tost_pvalues

from kit.judge.sensitivity import equivalence_bounds

TRIALS = 3000


def sessions(rng, blocks, *, drift=0.0, tails=None, container=0.03, fits=5, noise=0.02, gain=0.0):
    """Log ratios of (TRIALS, blocks): of the medians of ``fits`` fits in a container.

    ``drift``: relative change over the whole session. ``container``: SD of what all
    fits of one container share. ``tails``: degrees of freedom of t noise, or normal.
    """
    shape = (TRIALS, blocks, 2)

    def draw(size):
        if tails is None:
            return rng.normal(size=size)
        return rng.standard_t(tails, size=size) / math.sqrt(tails / (tails - 2))

    fit_logs = container * draw((*shape, 1)) + noise * draw((*shape, fits))
    logs = np.median(fit_logs, axis=-1)
    swapped = rng.random((TRIALS, blocks)) < 0.5
    place = np.stack([swapped, ~swapped], axis=-1) + 2 * np.arange(blocks)[:, None]
    logs = logs + math.log1p(drift) * place / (2 * blocks)
    return logs[:, :, 0] - logs[:, :, 1] + gain


@pytest.mark.parametrize("blocks", [4, 8, 12, 20])
def test_the_interval_covers_the_truth_19_times_out_of_20(blocks):
    rng = np.random.default_rng(blocks)
    truth = 0.06
    low, high = intervals(sessions(rng, blocks, drift=0.03, gain=truth))
    assert 0.93 <= np.mean((low <= truth) & (truth <= high)) <= 0.97


@pytest.mark.parametrize("tails", [None, 3, 5])
@pytest.mark.parametrize("blocks", [4, 8, 20])
def test_an_arm_against_itself_seldom_differs(blocks, tails):
    rng = np.random.default_rng(100 + blocks)
    low, high = intervals(sessions(rng, blocks, drift=0.03, tails=tails))
    assert np.mean((low > 0) | (high < 0)) <= 0.07


def test_without_blocks_the_same_drift_would_raise_false_alarms():
    """Why blocks: first all runs of one arm, then all of the other."""
    rng = np.random.default_rng(5)
    times = math.log1p(0.03) * np.arange(20) / 20 + rng.normal(0, 0.01, (TRIALS, 20))
    p_values = stats.ttest_ind(times[:, :10], times[:, 10:], axis=1).pvalue
    assert np.mean(p_values < 0.05) > 0.5


@pytest.mark.parametrize("blocks", [6, 12])
def test_a_true_difference_at_the_margin_is_seldom_called_equal(blocks):
    rng = np.random.default_rng(blocks)
    _, high = equivalence_bounds()
    logs = rng.normal(high, 0.01, (TRIALS, blocks))
    assert np.mean(tost_pvalues(logs) < 0.05) <= 0.07
