"""Boundaries of repeated looks: published constants, a simulation, and what must always hold."""

import math

import numpy as np
import pytest
from scipy import optimize, special

from kit.judge.looks import critical_t, crossing_probability, repeated_pvalue
from kit.judge.sensitivity import paired_t_pvalue, sensitivity, tost_pvalue
from kit.plan.model import Looks

LOOKS = Looks(most=24, first=6, shape=0.1)


def crossed_if_normal(most, first, shape, constant):
    """The same probability for normal scores of known spread: Armitage, McPherson and Rowe."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    edges = {
        k: constant * (k / most) ** (shape - 0.5) * math.sqrt(k) for k in range(first, most + 1)
    }
    probability = 2 * special.ndtr(-edges[first] / math.sqrt(first))
    at = edges[first] * nodes
    mass = np.exp(-at * at / 2 / first) / math.sqrt(2 * math.pi * first) * edges[first] * weights
    for k in range(first + 1, most + 1):
        edge = edges[k]
        probability += np.sum(mass * (special.ndtr(at - edge) + special.ndtr(-edge - at)))
        step = np.exp(-((edge * nodes[:, None] - at) ** 2) / 2) / math.sqrt(2 * math.pi)
        at, mass = edge * nodes, step @ mass * edge * weights
    return probability


@pytest.mark.parametrize(
    ("most", "shape", "constant"),
    # Jennison and Turnbull (2000), tables 2.1 and 2.3: two-sided, alpha 0.05.
    [(2, 0.5, 2.178), (5, 0.5, 2.413), (10, 0.5, 2.555), (20, 0.5, 2.672),
     (2, 0.0, 1.977), (5, 0.0, 2.040), (10, 0.0, 2.087), (20, 0.0, 2.126)],
)  # fmt: skip
def test_the_normal_recursion_gives_the_published_constants(most, shape, constant):
    found = optimize.brentq(
        lambda c: crossed_if_normal(most, 1, shape, c) - 0.05, 1.5, 3.5, xtol=1e-6
    )
    assert found == pytest.approx(constant, abs=0.0011)


@pytest.mark.parametrize(("shape", "constant"), [(0.0, 2.0), (0.1, 2.2), (0.5, 2.4)])
def test_with_many_blocks_before_the_first_look_students_t_is_normal(shape, constant):
    looks = Looks(most=406, first=400, shape=shape)
    assert crossing_probability(looks, constant) == pytest.approx(
        crossed_if_normal(406, 400, shape, constant), rel=0.01
    )


@pytest.mark.slow
@pytest.mark.parametrize("looks", [LOOKS, Looks(12, 6, 0.1), Looks(9, 4, 0.5)])
def test_few_blocks_cross_as_often_as_in_a_simulation(looks):
    random, sessions = np.random.default_rng(28), 40_000
    logs = random.standard_normal((sessions, looks.most))
    crossed = np.zeros(sessions, bool)
    for blocks in range(looks.first, looks.most + 1):
        part = logs[:, :blocks]
        t = part.mean(axis=1) / part.std(axis=1, ddof=1) * math.sqrt(blocks)
        crossed |= np.abs(t) >= critical_t(looks, blocks, 0.05)
    assert crossed.mean() == pytest.approx(0.05, abs=3.5 * math.sqrt(0.05 * 0.95 / sessions))


def test_one_look_is_the_t_test():
    looks = Looks(most=8, first=8, shape=0.1)
    assert critical_t(looks, 8, 0.05) == pytest.approx(-special.stdtrit(7, 0.025), rel=1e-6)
    assert repeated_pvalue(looks, 8, 2.5) == pytest.approx(2 * special.stdtr(7, -2.5), rel=1e-6)


@pytest.mark.parametrize("blocks", [6, 7, 15, 24])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_a_t_on_the_boundary_has_its_p_value(blocks, alpha):
    at = critical_t(LOOKS, blocks, alpha)
    assert repeated_pvalue(LOOKS, blocks, at) == pytest.approx(alpha, rel=1e-3)
    assert repeated_pvalue(LOOKS, blocks, -at) == repeated_pvalue(LOOKS, blocks, at)


def test_the_p_value_falls_with_t_from_1():
    found = [repeated_pvalue(LOOKS, 10, t) for t in (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 20.0, 1e9)]
    assert found == sorted(found, reverse=True)
    assert found[0] == pytest.approx(1.0, abs=1e-6)
    assert 0 <= found[-1] < 1e-20


@pytest.mark.slow
@pytest.mark.parametrize(
    ("looks", "blocks", "t"),
    [(Looks(200, 6, 0.1), 200, 12.0), (Looks(200, 6, 0.1), 100, 20.0),
     (Looks(45, 6, 0.1), 41, 300.0), (Looks(200, 2, 0.0), 200, 5.0),
     (Looks(200, 2, 0.0), 150, 40.0)],
)  # fmt: skip
def test_a_large_t_has_a_p_value_between_one_look_s_and_the_sum_over_all(looks, blocks, t):
    """The boundary that such a t reaches has scores at the first looks whose t is infinite."""
    single = 2 * special.stdtr(blocks - 1, -t)
    score = -special.ndtri(single / 2)
    steps = np.arange(looks.first, looks.most + 1) / blocks
    total = np.sum(2 * special.ndtr(-score * steps ** (looks.shape - 0.5)))
    assert single * (1 - 1e-6) <= repeated_pvalue(looks, blocks, t) <= total + 1e-9


def test_later_looks_have_lower_boundaries_of_the_score():
    found = [special.stdtr(n - 1, -critical_t(LOOKS, n, 0.05)) for n in range(6, 25)]
    assert found == sorted(found)


@pytest.mark.parametrize("blocks", [5, 25])
def test_there_is_no_look_before_the_first_or_after_the_last(blocks):
    with pytest.raises(ValueError, match="no look"):
        critical_t(LOOKS, blocks, 0.05)
    with pytest.raises(ValueError, match="no look"):
        repeated_pvalue(LOOKS, blocks, 2.0)


def test_the_tests_of_a_session_with_looks_are_repeated_ones():
    logs = [0.03, 0.05, 0.02, 0.06, 0.04, 0.05, 0.03]
    t = np.mean(logs) / np.std(logs, ddof=1) * math.sqrt(len(logs))
    assert paired_t_pvalue(logs, looks=LOOKS) == pytest.approx(
        repeated_pvalue(LOOKS, len(logs), t), rel=1e-9
    )
    assert paired_t_pvalue(logs, looks=LOOKS) > paired_t_pvalue(logs)
    margin = (-0.1, 0.1)
    assert tost_pvalue(logs, margin, LOOKS) > tost_pvalue(logs, margin)
    assert tost_pvalue(logs, (-0.01, 0.01), LOOKS) == 1.0
    found = sensitivity(logs, margin, LOOKS)
    assert found.t == paired_t_pvalue(logs, looks=LOOKS)
    assert found.equivalence == tost_pvalue(logs, margin, LOOKS)
    assert sensitivity(logs[:5], margin, LOOKS).t is None
