"""Order, drift, outliers: found where they are, not where they are not."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy
from support.sessions import make_session, paired

from kit.judge.order import drift, order_effect, outliers
from kit.judge.pairing import arm_pairs, log_ratios, main_blocks, usable_runs
from kit.study.load import shipped_study

STUDY = shipped_study()


def blocks_of(ratios):
    session = make_session(paired(ratios, fits=3))
    runs, _ = usable_runs(session)
    (pair,) = arm_pairs(session, STUDY)
    return runs, main_blocks(runs, pair)[0]


def test_a_block_far_from_the_others_is_flagged_and_kept():
    _, blocks = blocks_of([1.05, 1.06, 1.04, 1.05, 1.07, 1.9])
    (found,) = outliers(blocks)
    assert found.block == 5
    assert found.score > 3.5
    assert len(blocks) == 6


@pytest.mark.parametrize("count", [4, 7, 20])
def test_p_values_are_those_of_scipy(count):
    drawn = np.random.default_rng(count).normal(1.05, 0.02, count)
    runs, blocks = blocks_of(drawn.tolist())
    own = [run for run in runs if run.arm == "python-cpu"]
    logs = [math.log(run.warm_median) for run in own]
    line = scipy.stats.linregress(range(count), logs)
    found = drift(own, "python-cpu")
    assert found.p_value == pytest.approx(line.pvalue, rel=1e-9)
    assert found.percent == pytest.approx(100 * math.expm1(line.slope * (count - 1)), rel=1e-9)
    leading, following = (
        log_ratios("warm_median", [b for b in blocks if leads(b) is first])
        for first in (True, False)
    )
    known = scipy.stats.ttest_ind(leading, following, equal_var=False)
    assert order_effect(blocks).p_value == pytest.approx(known.pvalue, rel=1e-9)


def leads(block):
    return block.baseline.position < block.contender.position


def test_few_or_equal_blocks_flag_nothing():
    assert outliers(blocks_of([1.05, 1.06, 1.9])[1]) == ()
    assert outliers(blocks_of([1.05] * 5 + [1.9])[1]) == ()


def test_a_drifting_arm_is_told_from_a_steady_one():
    runs, _ = blocks_of([1.05, 1.06, 1.04, 1.05])
    slow = [
        run.__class__(**{**vars(run), "warm_median": 2.0 * math.exp(0.01 * place)})
        for place, run in enumerate(run for run in runs if run.arm == "python-cpu")
    ]
    found = drift(slow, "python-cpu")
    assert found.percent == pytest.approx(100 * math.expm1(0.03))
    assert found.p_value < 0.01
    assert drift(slow[:2], "python-cpu").percent is None
    same = [run.__class__(**{**vars(run), "warm_median": 2.0}) for run in slow]
    assert (drift(same, "python-cpu").percent, drift(same, "python-cpu").p_value) == (0.0, None)
    assert drift(slow, "dotnet-cpu").percent is None


def test_going_first_is_told_apart_only_with_two_blocks_of_either():
    _, blocks = blocks_of([1.05, 1.06, 1.04, 1.05, 1.02, 1.03])
    found = order_effect(blocks)
    assert found.baseline_first + found.contender_first == 6
    first = [b for b in blocks if b.baseline.position < b.contender.position]
    assert order_effect(first).p_value is None
    moved = [
        b.__class__(
            b.block,
            b.baseline.__class__(**{**vars(b.baseline), "position": int(b.block % 2)}),
            b.contender.__class__(**{**vars(b.contender), "position": 1 - int(b.block % 2)}),
        )
        for b in blocks_of([1.5, 1.0, 1.51, 1.01, 1.52, 1.02])[1]
    ]
    assert order_effect(moved).p_value < 0.001
