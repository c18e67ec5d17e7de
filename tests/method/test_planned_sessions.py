"""A session planned by its pilot reaches its word, and not where there is nothing.

Sessions are drawn, their number of blocks fixed from the pilot's spread, and judged by the
kit's rules for the interval, the two controls and Holm's adjustment: all sessions of one number
of blocks at once, and some of them by the judge too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from support.rows import Rows, intervals, paired_t_pvalues, tost_pvalues
from support.sessions import (
    PYTHON,
    make_claim,
    make_equal,
    make_session,
    make_study,
    paired,
    with_role,
)

from kit.judge.comparison import judge
from kit.judge.effects import log_of
from kit.judge.equality import margin_of
from kit.judge.pilot import MIN_SD, power_target_of
from kit.judge.power import SIZE_CONFIDENCE, blocks_for, planning_sd
from kit.judge.sensitivity import ALPHA
from kit.judge.words import REPRODUCED
from kit.plan.budget import MIN_AFTER_PILOT
from kit.plan.roles import PLACEBO, SLOWED, slowdown_percent

SESSIONS, PILOT = 2000, 5
EQUAL, MARGIN = 0.0, 5.0
"""A claim of equality within 5 %."""
CASES = {
    EQUAL: None, 3.0: (1.5, 4.5), 6.5: (3.0, 10.0), 30.0: (20.0, 40.0), 85.0: (75.0, 91.7)
}  # fmt: skip
SPREADS = {EQUAL: 0.03, 3.0: 0.008, 6.5: 0.025, 30.0: 0.09, 85.0: 0.4}
"""SD of the log ratio of a block, so large that more than the fewest blocks are needed."""
ROLES = (PLACEBO, SLOWED)


@cache
def study_of(gain):
    """Four claims of that size, as the shipped study has four."""
    names = enumerate(("mean", "min", "max", "total"), start=1)
    if gain == EQUAL:
        return make_study(claims=tuple(make_equal(MARGIN, f"C{n}", name) for n, name in names))
    return make_study(
        claims=tuple(make_claim(f"C{n}", name, gain, CASES[gain]) for n, name in names)
    )


@dataclass(frozen=True)
class Sessions:
    """Sessions of one number of blocks: log ratios of baseline over contender, and of the
    placebo and the slowed runs over the baseline's."""

    logs: Rows
    placebo: Rows
    slowed: Rows


def drawn(gain, true_gain, random):
    """Sessions of a claim of that gain, each as long as its own pilot asks for."""
    sd, study = SPREADS[gain], study_of(gain)
    target = power_target_of(study.claims[0], study, ROLES)

    @cache
    def needed(twentieths):
        spread = planning_sd(twentieths * sd / 20, PILOT)
        return max(blocks_for(spread, spread, target, 0.8), MIN_AFTER_PILOT)

    spreads = random.normal(0, sd, (SESSIONS, PILOT)).std(axis=1, ddof=1)
    planned = [needed(math.ceil(20 * max(found, MIN_SD) / sd)) for found in spreads]
    for blocks, count in zip(*np.unique(planned, return_counts=True), strict=True):
        # The same runs are in several pairs: of main and contender, placebo, and slowed.
        noise = random.normal(0, sd / math.sqrt(2), (4, count, blocks))
        base, contender, placebo, slowed = noise
        known = math.log1p(slowdown_percent(study) / 100)
        yield Sessions(log_of(true_gain) + base - contender, placebo - base, known + slowed - base)


def held(sessions, gain):
    """Of each session: whether both controls hold."""
    study = study_of(gain)
    differs = (
        len(study.claims) * paired_t_pvalues(sessions.placebo) < ALPHA
    )  # Holm's: all have the same p
    placebo = ~differs | (tost_pvalues(sessions.placebo) < ALPHA)
    found = intervals(sessions.slowed)[0] > 0
    low, high = intervals(sessions.slowed, SIZE_CONFIDENCE)
    known = math.log1p(slowdown_percent(study) / 100)
    return placebo & found & (low <= known) & (known <= high)


def reproduced(sessions, gain):
    """Of each session: whether the claim of that gain is reproduced."""
    study, logs = study_of(gain), sessions.logs
    claim, claims = study.claims[0], len(study.claims)
    if gain == EQUAL:
        low, high = margin_of(claim)
        centre = logs.mean(axis=1)
        p = tost_pvalues(logs, (low, high))
        shown = (low < centre) & (centre < high) & (claims * p < ALPHA)
    else:
        low, high = intervals(logs)
        band = claim.band_percent
        within = (low >= log_of(band.low)) & (high <= log_of(band.high))
        shown = within & (low > 0) & (claims * paired_t_pvalues(logs) < ALPHA)
    return shown & held(sessions, gain)


@pytest.mark.parametrize("gain", CASES)
def test_a_true_claim_is_reproduced_as_often_as_planned(gain):
    made = list(drawn(gain, gain, np.random.default_rng(int(10 * gain))))
    assert sum(np.sum(reproduced(each, gain)) for each in made) >= 0.78 * SESSIONS
    assert sum(np.sum(held(each, gain)) for each in made) >= 0.78 * SESSIONS
    # The case is one in which the number of blocks was planned, not the fewest taken.
    planned = [each.logs.shape[1] for each in made for _ in each.logs]
    assert np.median(planned) > MIN_AFTER_PILOT


@pytest.mark.parametrize("gain", CASES)
def test_what_is_not_so_is_hardly_ever_called_reproduced(gain):
    """No difference where a gain is claimed, one as large as the margin where equality is."""
    true_gain = -MARGIN if gain == EQUAL else 0.0
    made = drawn(gain, true_gain, np.random.default_rng(int(10 * gain) + 1))
    assert sum(np.sum(reproduced(each, gain)) for each in made) <= 0.05 * SESSIONS


def judged(sessions, gain, number):
    """One session through the judge, with runs of fits: reproduced, and its controls held."""
    session = make_session(paired(list(np.exp(sessions.logs[number]))))
    session = with_role(session, PLACEBO, list(np.exp(sessions.placebo[number])), PYTHON)
    session = with_role(session, SLOWED, list(np.exp(sessions.slowed[number])), PYTHON)
    (found,) = judge(session, study_of(gain)).comparisons
    return found.verdicts[0].word == REPRODUCED, all(each.held for each in found.controls)


@pytest.mark.parametrize("gain", CASES)
@pytest.mark.parametrize("true", [True, False])
def test_the_judge_gives_the_words_that_were_counted(gain, true):
    """The short way above left nothing out: one session of every answer there is."""
    answers = {}
    for sessions in drawn(gain, gain if true else 0.0, np.random.default_rng(int(10 * gain) + 2)):
        counted = zip(reproduced(sessions, gain), held(sessions, gain), strict=True)
        for number, answer in enumerate(counted):
            answers.setdefault(tuple(map(bool, answer)), (sessions, number))
    assert len(answers) >= 2
    for answer, (sessions, number) in answers.items():
        assert judged(sessions, gain, number) == answer
