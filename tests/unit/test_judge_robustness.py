"""The other tests: known answers, and error rates by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import ttost_paired

from kit.judge.robustness import equivalence_bounds, holm, robustness
from kit.judge.statistics import estimate

LOGS = [0.05, 0.06, 0.04, 0.07, 0.055, 0.02]
TRIALS = 3000


def sessions(rng, blocks, *, drift=0.0, tails=None, container=0.03, fits=5, noise=0.02, gain=0.0):
    """Log seconds of (TRIALS, blocks, arm): the medians of ``fits`` fits in a container.

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
    logs[:, :, 0] += gain
    return logs


def intervals(logs):
    """The kit's own interval of every session, as logs."""
    for session in logs:
        pairs = [(math.exp(python), math.exp(dotnet)) for python, dotnet in session]
        bounds = estimate("mean", pairs).ratio_interval
        yield math.log(bounds.low), math.log(bounds.high)


@pytest.mark.parametrize("blocks", [4, 8, 12, 20])
def test_the_interval_covers_the_truth_19_times_out_of_20(blocks):
    rng = np.random.default_rng(blocks)
    truth = 0.06
    logs = sessions(rng, blocks, drift=0.03, gain=truth)
    covered = np.mean([low <= truth <= high for low, high in intervals(logs)])
    assert 0.93 <= covered <= 0.97


@pytest.mark.parametrize("tails", [None, 3, 5])
@pytest.mark.parametrize("blocks", [4, 8, 20])
def test_an_arm_against_itself_seldom_differs(blocks, tails):
    rng = np.random.default_rng(100 + blocks)
    logs = sessions(rng, blocks, drift=0.03, tails=tails)
    alarms = np.mean([low > 0 or high < 0 for low, high in intervals(logs)])
    assert alarms <= 0.07


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
    logs = rng.normal(high, 0.01, (1000, blocks))
    wrong = np.mean([robustness(list(row)).equivalence < 0.05 for row in logs])
    assert wrong <= 0.07


def test_known_answers_of_scipy_and_statsmodels():
    found = robustness(LOGS)
    assert found.t == pytest.approx(stats.ttest_1samp(LOGS, 0).pvalue)
    assert found.wilcoxon == pytest.approx(2 / 2**6)
    assert found.permutation == pytest.approx(2 / 2**6)
    assert found.permutation_exact
    other = np.zeros(len(LOGS))
    known = ttost_paired(np.array(LOGS), other, *equivalence_bounds())[0]
    assert found.equivalence == pytest.approx(known)


def test_the_worked_example_of_darwins_plants():
    """R. A. Fisher, "The Design of Experiments" (1935), sections 17 and 21: cross- and
    self-fertilised plants, eighths of an inch; t gives 0.0497, all 2^15 flips 0.0526."""
    differences = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    found = robustness([float(value) for value in differences])
    assert found.t == pytest.approx(0.0497, abs=1e-4)
    assert found.permutation == pytest.approx(1726 / 2**15, abs=1e-9)


def test_holm_is_the_textbook_one_and_keeps_missing_ones_missing():
    assert holm({"a": 0.01, "b": 0.04, "c": None, "d": 0.03}) == {
        "a": pytest.approx(0.03),
        "b": pytest.approx(0.06),
        "c": None,
        "d": pytest.approx(0.06),
    }
    assert holm({"a": None}) == {"a": None}


def test_many_blocks_are_sampled_with_a_seed():
    logs = list(np.random.default_rng(3).normal(0.01, 0.02, 30))
    first, second = robustness(logs), robustness(logs)
    assert first == second
    assert not first.permutation_exact
    assert first.permutation == pytest.approx(first.t, abs=0.02)


def test_too_little_or_too_alike_to_test():
    assert robustness([0.1]).t is None
    alike = robustness([0.1, 0.1, 0.1])
    assert (alike.t, alike.equivalence) == (0.0, 1.0)
    nothing = robustness([0.0, 0.0])
    assert (nothing.t, nothing.wilcoxon, nothing.equivalence) == (1.0, None, 0.0)


def test_the_margin_is_of_gains():
    low, high = equivalence_bounds(2.0)
    assert 100 * (1 - math.exp(-high)) == pytest.approx(2.0)
    assert 100 * (1 - math.exp(-low)) == pytest.approx(-2.0)


@pytest.mark.parametrize("count", [1, 2, 4, 9])
def test_holms_adjustment_is_that_of_statsmodels(count):
    from statsmodels.stats.multitest import multipletests

    random = np.random.default_rng(count)
    for _ in range(20):
        p_values = {f"C{number}": float(p) for number, p in enumerate(random.beta(0.3, 2, count))}
        p_values["C1"] = p_values["C0"]  # equal ones too
        known = multipletests(list(p_values.values()), method="holm")[1]
        assert holm(p_values) == pytest.approx(dict(zip(p_values, known, strict=True)))
    assert holm({"C1": None, "C2": 0.01}) == {"C1": None, "C2": 0.01}
