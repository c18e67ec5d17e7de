"""Power: known answers. That what the planner promises happens is in `tests/method`."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from kit.judge.power import (
    Aim,
    blocks_needed,
    detectable_gain,
    effect_of,
    needs,
    planning_sd,
    power_of,
)


def test_the_known_answer_of_the_power_tables():
    # Cohen (1988): d = 0.5, two-sided 5 %, power 0.80 takes 34 pairs.
    assert blocks_needed(2 * effect_of(6.5), 6.5, 0.8) == 34
    # And by scipy's noncentral t.
    d, n = 0.8, 12
    critical = stats.t.ppf(0.975, n - 1)
    known = 1 - stats.nct.cdf(critical, n - 1, d * math.sqrt(n))
    known += stats.nct.cdf(-critical, n - 1, d * math.sqrt(n))
    assert power_of(effect_of(6.5) / d, 6.5, n) == pytest.approx(known, abs=1e-6)


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
    few, many = (needs(sd, sd, Aim(6.5, (3.0, 10.0)))[0].blocks for sd in (0.02, 0.2))
    assert few < many
    assert blocks_needed(5.0, 1.0, 0.8) is None
    assert blocks_needed(0.05, 0.0, 0.8) is None
    assert blocks_needed(0.05, 100.0, 0.8) is None
    assert blocks_needed(0.0, 6.5, 0.9) == 2


def test_the_control_s_own_spread_tells_how_many_blocks_it_needs():
    aim = Aim(6.5, (3.0, 10.0), slowed=0.06)
    quiet, noisy = (needs(0.05, control_sd, aim)[0] for control_sd in (0.05, 0.2))
    assert (quiet.direction, quiet.size) == (noisy.direction, noisy.size)
    assert quiet.slowed < noisy.slowed <= noisy.blocks


def test_the_pilots_spread_is_raised_by_the_chi_square_bound():
    factor = planning_sd(1.0, 5)
    assert factor == pytest.approx(math.sqrt(4 / stats.chi2.ppf(0.2, 4)))
    assert 1.0 < planning_sd(1.0, 50) < factor
    with pytest.raises(ValueError, match="1 pilot"):
        planning_sd(1.0, 1)


def test_no_gain_of_100_percent():
    with pytest.raises(ValueError, match="100"):
        effect_of(100)
