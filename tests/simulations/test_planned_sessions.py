"""A session planned by its pilot reaches its word, and not where there is nothing.

Sessions are drawn, their number of blocks fixed from the pilot's spread, and judged by the
kit's own rules for the interval, the two controls and Holm's adjustment.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
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
from kit.judge.controls import placebo_holds, slowed_holds
from kit.judge.effects import Form, log_of
from kit.judge.equality import deciding_p, margin_of, within_margin
from kit.judge.pilot import LEAST_SD, aim_of
from kit.judge.power import blocks_for, planning_sd
from kit.judge.sensitivity import ALPHA, Sensitivity, equivalence_p, holm, t_p
from kit.judge.statistics import estimate
from kit.judge.verdict import INCONCLUSIVE, OPPOSITE, REPRODUCED, by_interval
from kit.plan.make import LEAST_AFTER_PILOT
from kit.plan.roles import PLACEBO, SLOWED, slowdown_percent

SESSIONS, PILOT = 600, 5
EQUAL, MARGIN = 0.0, 5.0
"""A claim of equality within 5 %."""
CASES = {
    EQUAL: None, 3.0: (1.5, 4.5), 6.5: (3.0, 10.0), 30.0: (20.0, 40.0), 85.0: (75.0, 91.7)
}  # fmt: skip
SPREADS = {EQUAL: 0.03, 3.0: 0.008, 6.5: 0.025, 30.0: 0.09, 85.0: 0.4}
"""SD of the log ratio of a block, so large that more than the fewest blocks are needed."""
ROLES = (PLACEBO, SLOWED)


def study_of(gain):
    """Four claims of that size, as the shipped study has four."""
    names = enumerate(("mean", "min", "max", "total"), start=1)
    if gain == EQUAL:
        return make_study(claims=tuple(make_equal(MARGIN, f"C{n}", name) for n, name in names))
    return make_study(
        claims=tuple(make_claim(f"C{n}", name, gain, CASES[gain]) for n, name in names)
    )


def drawn(study, gain, true_gain, random, planned={}):  # noqa: B006
    """One session: the word for its lead claim, and whether its controls held."""
    sd = SPREADS[gain]
    claim = study.claims[0]
    found = max(float(np.std(random.normal(0, sd, PILOT), ddof=1)), LEAST_SD)
    key = (gain, math.ceil(20 * found / sd))  # the number for a spread rounded up
    if key not in planned:
        spread = planning_sd(key[1] * sd / 20, PILOT)
        planned[key] = blocks_for(spread, spread, aim_of(claim, study, ROLES), 0.8)
    blocks = max(planned[key], LEAST_AFTER_PILOT)
    # The same runs are in several pairs: of main and contender, placebo, and slowed.
    base, contender, placebo, slowed = random.normal(0, sd / math.sqrt(2), (4, blocks))
    logs = log_of(true_gain) + base - contender
    slower = math.log1p(slowdown_percent(study) / 100) + slowed - base
    held = (
        placebo_holds({"mean": placebo - base, "total": placebo - base})[0]
        and slowed_holds(list(slower), slowdown_percent(study))[0]
    )
    logs = list(logs)
    equal = equivalence_p(logs, margin_of(claim))
    found = Sensitivity(t_p(logs), None, None, False, equal)
    p = holm({c.id: deciding_p(c, logs, found) for c in study.claims})[claim.id]
    measured = estimate("mean", [(math.exp(log), 1.0) for log in logs])
    if gain == EQUAL:
        within, _ = within_margin(claim, measured, p, Form.GAIN)
        word = {True: REPRODUCED, False: OPPOSITE, None: INCONCLUSIVE}[within]
    else:
        word, _ = by_interval(claim, measured, p, equal < ALPHA, Form.GAIN)
    return (word if held else INCONCLUSIVE), held, blocks


@pytest.mark.parametrize("gain", CASES)
def test_a_true_claim_is_reproduced_as_often_as_planned(gain):
    random = np.random.default_rng(int(10 * gain))
    study = study_of(gain)
    sessions = [drawn(study, gain, gain, random) for _ in range(SESSIONS)]
    assert np.mean([word == REPRODUCED for word, _, _ in sessions]) >= 0.78
    assert np.mean([held for _, held, _ in sessions]) >= 0.78
    # The case is one in which the number of blocks was planned, not the fewest taken.
    assert np.median([blocks for *_, blocks in sessions]) > LEAST_AFTER_PILOT


@pytest.mark.parametrize("gain", CASES)
def test_what_is_not_so_is_hardly_ever_called_reproduced(gain):
    """No difference where a gain is claimed, one as large as the margin where equality is."""
    random = np.random.default_rng(int(10 * gain) + 1)
    study = study_of(gain)
    sessions = [drawn(study, gain, -MARGIN if gain == EQUAL else 0.0, random)
                for _ in range(SESSIONS)]  # fmt: skip
    assert np.mean([word == REPRODUCED for word, _, _ in sessions]) <= 0.05


@pytest.mark.parametrize("gain", CASES)
def test_whole_sessions_get_the_words_that_the_rules_give(gain):
    """The same through the judge, with runs of fits: the short way above left nothing out."""
    random = np.random.default_rng(int(10 * gain) + 2)
    study = study_of(gain)
    aim = aim_of(study.claims[0], study, ROLES)
    spread = planning_sd(SPREADS[gain], PILOT)
    blocks = max(blocks_for(spread, spread, aim, 0.8), LEAST_AFTER_PILOT)
    slower = 1 + slowdown_percent(study) / 100
    words = []
    for _ in range(12):
        noise = np.exp(random.normal(0, SPREADS[gain] / math.sqrt(2), (3, blocks)))
        session = make_session(paired(list(math.exp(log_of(gain)) * noise[0])))
        session = with_role(session, PLACEBO, list(noise[1]), PYTHON)
        session = with_role(session, SLOWED, list(slower * noise[2]), PYTHON)
        words.append(judge(session, study).comparisons[0].verdicts[0].word)
    assert words.count(REPRODUCED) >= 8
