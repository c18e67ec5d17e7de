"""Power: known answers. That what the planner promises happens is in `tests/method`."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import scipy
from support.rows import intervals

from kit.judge.power import (
    PowerTarget,
    blocks_needed,
    detectable_gain,
    effect_of,
    joint_power,
    planning_sd,
    power_of,
    sample_sizes,
    size_power,
)


def test_the_known_answer_of_the_power_tables():
    # Cohen (1988): d = 0.5, two-sided 5 %, power 0.80 takes 34 pairs.
    assert blocks_needed(2 * effect_of(6.5), 6.5, 0.8) == 34


@pytest.mark.parametrize("blocks", [2, 3, 12, 40])
@pytest.mark.parametrize("size", [0.01, 0.8, 3.0])
def test_the_power_is_that_of_statsmodels(blocks, size):
    from statsmodels.stats.power import ttest_power

    known = ttest_power(size, blocks, 0.05)
    assert power_of(effect_of(6.5) / size, 6.5, blocks) == pytest.approx(known, abs=1e-12)


@pytest.mark.parametrize("blocks", [2, 9, 60])
def test_the_chance_of_the_size_is_that_of_simulated_tests(blocks):
    """A band somewhat wider than the interval, which lies within it about every other time."""
    rng = np.random.default_rng(blocks)
    low, high = intervals(rng.normal(0.1, 0.05, (2000, blocks)))
    reach = 0.65 * float(np.median(high - low))
    band = 0.1 - reach, 0.1 + reach
    share = np.mean((low >= band[0]) & (high <= band[1]))
    assert size_power(0.05, 0.1, *band, blocks) == pytest.approx(share, abs=0.04)


@pytest.mark.parametrize("sd, power", [(0.03, 0.8), (0.12, 0.9)])
def test_planned_blocks_are_the_fewest_with_the_promised_power(sd, power):
    blocks = blocks_needed(sd, 6.0, power)
    assert power_of(sd, 6.0, blocks) >= power > power_of(sd, 6.0, blocks - 1)


def test_the_detectable_gain_is_the_one_that_so_many_blocks_find():
    gain = detectable_gain(0.05, 10)
    assert power_of(0.05, gain, 10) == pytest.approx(0.8, abs=1e-3)
    assert detectable_gain(0.05, 1) is None
    assert detectable_gain(0.0, 5) == 0.0


def test_more_spread_needs_more_blocks_and_too_much_has_no_answer():
    few, many = (
        sample_sizes(sd, sd, PowerTarget(6.5, (3.0, 10.0)))[0].blocks for sd in (0.02, 0.2)
    )
    assert few < many
    assert blocks_needed(5.0, 1.0, 0.8) is None
    assert blocks_needed(0.05, 0.0, 0.8) is None
    assert blocks_needed(0.05, 100.0, 0.8) is None
    assert blocks_needed(0.0, 6.5, 0.9) == 2


def test_the_control_s_own_spread_tells_how_many_blocks_it_needs():
    aim = PowerTarget(6.5, (3.0, 10.0), slowed=0.06)
    quiet, noisy = (sample_sizes(0.05, control_sd, aim)[0] for control_sd in (0.05, 0.2))
    assert (quiet.direction, quiet.size) == (noisy.direction, noisy.size)
    assert quiet.slowed < noisy.slowed <= noisy.blocks


def test_the_pilots_spread_is_raised_by_the_chi_square_bound():
    factor = planning_sd(1.0, 5)
    assert factor == pytest.approx(math.sqrt(4 / scipy.stats.chi2.ppf(0.2, 4)))
    assert 1.0 < planning_sd(1.0, 50) < factor
    with pytest.raises(ValueError, match="1 pilot"):
        planning_sd(1.0, 1)


def test_no_gain_of_100_percent():
    with pytest.raises(ValueError, match="100"):
        effect_of(100)


@pytest.mark.parametrize("claims", [1, 4])
def test_a_direction_is_found_at_the_level_of_holm_s_first_step(claims):
    """With a band so wide that every size lies in it, direction and controls alone may fail."""
    aim = PowerTarget(6.5, (-900.0, 99.0), claims)
    chance = joint_power(0.05, 0.05, aim, 8)
    assert chance == pytest.approx(power_of(0.05, 6.5, 8, 0.05 / claims), abs=1e-6)
    assert joint_power(0.05, 0.05, replace(aim, placebo=True), 8) == pytest.approx(chance - 0.05)
