"""The other tests against known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy

from kit.judge.sensitivity import equivalence_bounds, holm, sensitivity

pytestmark = pytest.mark.slow

LOGS = [0.05, 0.06, 0.04, 0.07, 0.055, 0.02]


def test_known_answers_of_scipy_and_statsmodels():
    from statsmodels.stats.weightstats import ttost_paired

    found = sensitivity(LOGS)
    assert found.t == pytest.approx(scipy.stats.ttest_1samp(LOGS, 0).pvalue)
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
    found = sensitivity([float(value) for value in differences])
    assert found.t == pytest.approx(0.0497, abs=1e-4)
    assert found.permutation == pytest.approx(1726 / 2**15, abs=1e-9)


@pytest.mark.parametrize("spread", [0.0, 0.01])
@pytest.mark.parametrize("blocks", [2, 3, 7, 9])
def test_all_flips_are_those_of_scipy(blocks, spread):
    """With few decimals many means are equal, and the mean of some may be nearly 0."""
    drawn = np.random.default_rng(blocks).normal(0.01, spread, blocks)
    for logs in (drawn, np.round(drawn, 2), drawn - drawn.mean()):
        known = scipy.stats.permutation_test(
            (logs,),
            lambda x, axis: np.mean(x, axis=axis),
            permutation_type="samples",
            vectorized=True,
            n_resamples=2**blocks,
        )
        assert sensitivity(logs.tolist()).permutation == known.pvalue


@pytest.mark.parametrize(
    "logs",
    [
        [0.1, 0.2, 0.2, -0.1, 0.3, 0.4],
        [0.1, 0.0, 0.2, -0.3, 0.0, 0.4],
        [-0.1, -0.1, -0.1, 0.0, 0.2, 0.3, -0.3],
        [0.0, 0.0, -0.2],
        [0.1] * 7,
        [0.02 * n for n in range(-6, 8)] + [0.1],
        [0.01 * n * (-1) ** n for n in range(1, 9)],
    ],
    ids=["alike", "zeros", "mean ranks", "one", "one size", "many alike", "none alike"],
)
def test_signed_ranks_are_those_of_scipy(logs):
    assert sensitivity(logs).wilcoxon == scipy.stats.wilcoxon(logs).pvalue


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
    first, second = sensitivity(logs), sensitivity(logs)
    assert first == second
    assert not first.permutation_exact
    assert first.permutation == pytest.approx(first.t, abs=0.02)


def test_too_little_or_too_alike_to_test():
    assert sensitivity([0.1]).t is None
    alike = sensitivity([0.1, 0.1, 0.1])
    assert (alike.t, alike.equivalence) == (0.0, 1.0)
    nothing = sensitivity([0.0, 0.0])
    assert (nothing.t, nothing.wilcoxon, nothing.equivalence) == (1.0, None, 0.0)


def test_the_margin_is_of_gains():
    low, high = equivalence_bounds(2.0)
    assert 100 * (1 - math.exp(-high)) == pytest.approx(2.0)
    assert 100 * (1 - math.exp(-low)) == pytest.approx(-2.0)


@pytest.mark.parametrize("count", [1, 9])
def test_holms_adjustment_is_that_of_statsmodels(count):
    from statsmodels.stats.multitest import multipletests

    random = np.random.default_rng(count)
    p_values = {f"C{number}": float(p) for number, p in enumerate(random.beta(0.3, 2, count))}
    p_values["C1"] = p_values["C0"]  # equal ones too
    known = multipletests(list(p_values.values()), method="holm")[1]
    assert holm(p_values) == pytest.approx(dict(zip(p_values, known, strict=True)))
    assert holm({"C1": None, "C2": 0.01}) == {"C1": None, "C2": 0.01}
