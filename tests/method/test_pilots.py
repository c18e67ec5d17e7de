"""A pilot fixes the number of blocks: the error rates and the power stay as promised."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from scipy import stats
from support.rows import intervals, tost_pvalues
from support.sessions import make_equal

from kit.judge.effects import log_of
from kit.judge.equality import margin_of
from kit.judge.pilot import MIN_SD
from kit.judge.power import POWERS, PowerTarget, blocks_for, blocks_needed, planning_sd, power_of
from kit.plan.budget import MIN_AFTER_PILOT

SESSIONS, PILOT, MAX_BLOCKS = 4000, 5, 60
SD = 0.06


@cache
def needed(thousandths: int, gain: float) -> int:
    return blocks_needed(thousandths / 1000, gain, 0.8) or 1000


def planned(pilots, gain):
    """The number of blocks that follows from each row's spread, rounded up to a thousandth."""
    spreads = np.maximum(pilots.std(axis=1, ddof=1), MIN_SD)
    return np.array([needed(math.ceil(1000 * planning_sd(sd, PILOT)), gain) for sd in spreads])


def simulate(gain, seed, heavy=False):
    """How many sessions differ from none, and how many intervals hold the truth."""
    random = np.random.default_rng(seed)
    shape = (SESSIONS, PILOT + MAX_BLOCKS)
    noise = random.standard_t(4, shape) / math.sqrt(2) if heavy else random.normal(size=shape)
    logs = log_of(gain) + SD * noise
    numbers = np.clip(planned(logs[:, :PILOT], 6.5), MIN_AFTER_PILOT, MAX_BLOCKS)
    found = covered = 0
    for blocks in np.unique(numbers):
        low, high = intervals(logs[numbers == blocks, PILOT : PILOT + blocks])
        covered += np.sum((low <= log_of(gain)) & (log_of(gain) <= high))
        found += np.sum((low > 0) | (high < 0))
    return found / SESSIONS, covered / SESSIONS


@pytest.mark.parametrize("heavy", [False, True])
def test_equal_arms_are_called_different_no_more_often_than_promised(heavy):
    false, covered = simulate(0.0, 5, heavy)
    assert false <= 0.07
    assert 0.93 <= covered <= 0.97


def test_an_effect_of_the_wanted_size_is_found_as_promised_or_more():
    power, covered = simulate(6.5, 6)
    assert power >= 0.75
    assert 0.93 <= covered <= 0.97


def test_a_plan_from_a_small_pilot_keeps_its_promise_because_the_spread_is_raised():
    pilots = np.random.default_rng(7).normal(0, SD, (400, PILOT))
    kept = np.array([power_of(SD, 6.0, int(blocks)) for blocks in planned(pilots, 6.0)])
    assert np.mean(kept >= 0.79) >= 0.75  # four out of five plans
    assert np.mean(kept) >= 0.85


@pytest.mark.parametrize("sd", [0.03, 0.06, 0.12])
@pytest.mark.parametrize("power", [0.8, 0.9])
def test_planned_blocks_have_the_promised_power(sd, power):
    blocks = blocks_needed(sd, 6.0, power)
    logs = np.random.default_rng(20220501).normal(log_of(6.0), sd, (SESSIONS, blocks))
    share = np.mean(stats.ttest_1samp(logs, 0, axis=1).pvalue < 0.05)
    promised = power_of(sd, 6.0, blocks)
    assert promised >= power
    assert abs(share - promised) < 0.05


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("margin", [2.0, 5.0, 30.0])
def test_so_many_blocks_show_equality_with_that_power(power, margin):
    claim, sd = make_equal(margin), margin / 150
    band = (claim.band_percent.low, claim.band_percent.high)
    blocks = blocks_for(sd, sd, PowerTarget(0.0, band), power)
    logs = np.random.default_rng(int(margin)).normal(0, sd, (SESSIONS, blocks))
    shown = np.mean(tost_pvalues(logs, margin_of(claim)) < 0.05)
    assert power - 0.03 <= shown <= power + 0.12
