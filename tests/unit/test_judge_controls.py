"""Controls: a session that cannot see what is known has no say."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from support.sessions import PYTHON, make_equal, make_session, make_study, paired, with_role

from kit.judge.comparison import judge
from kit.judge.controls import single_pair_log, slowed_holds
from kit.judge.pairing import NoPartner
from kit.judge.reasons import (
    Against,
    Capped,
    FailedControl,
    PlaceboDiffers,
    PlaceboHeld,
    SlowdownElsewhere,
    SlowdownFound,
    SlowdownMissed,
    TooFewPairs,
)
from kit.judge.statistics import estimate
from kit.judge.words import EQUIVALENT, INCONCLUSIVE, OPPOSITE
from kit.plan.model import Stopping
from kit.report.build import build_report
from kit.report.conditions import estimate_note
from kit.report.headline import controls_line
from kit.report.reasons import control_text
from kit.report.sections.checks import control_runs

STUDY = make_study()
SLOWER = paired([0.80, 0.81, 0.79, 0.80, 0.82])
EVEN = [1.002, 0.997, 1.001, 0.999, 1.0]
SLOWED = [1.0695, 1.068, 1.071, 1.07, 1.069]
"""As slow as the lead claim speaks of: a gain of 6.5 % is 6.95 % the other way."""


def judged(placebo=EVEN, slowed=SLOWED):
    session = make_session(SLOWER)
    if placebo:
        session = with_role(session, "placebo", placebo)
    if slowed:
        session = with_role(session, "slowed", slowed)
    return judge(session, STUDY)


def controls_of(result):
    return {c.role: c for part in result.comparisons for c in part.controls}


def words(result):
    return {v.word for part in result.comparisons for v in part.verdicts}


def test_controls_that_hold_leave_the_verdicts_alone():
    result = judged()
    assert {c.held for c in controls_of(result).values()} == {True}
    assert words(result) == {OPPOSITE}
    assert controls_line(result).startswith("Controls: passed. Placebo: ")
    assert isinstance(controls_of(result)["placebo"].reason, PlaceboHeld)
    assert isinstance(controls_of(result)["slowed"].reason, SlowdownFound)


@pytest.mark.parametrize(
    "placebo, slowed, reason",
    [
        ([1.05, 1.051, 1.049, 1.05, 1.052], SLOWED, PlaceboDiffers),
        (EVEN, [1.0, 1.01, 0.99, 1.0, 1.01], SlowdownMissed),
        (EVEN, [1.5, 1.51, 1.49, 1.5, 1.505], SlowdownElsewhere),
        (EVEN, [1.9, 0.8, 1.3, 1.0, 0.9], SlowdownMissed),
    ],
)
def test_a_control_that_fails_caps_every_measured_verdict(placebo, slowed, reason):
    result = judged(placebo, slowed)
    assert words(result) == {INCONCLUSIVE}
    (failed,) = [c for c in controls_of(result).values() if not c.held]
    assert isinstance(failed.reason, reason)
    capped = Capped((FailedControl(failed.role, failed.reason),), (), OPPOSITE, Against())
    assert {v.reason for part in result.comparisons for v in part.verdicts} == {capped}
    line = controls_line(result)
    assert line.startswith("Controls: FAILED") and control_text(failed.reason) in line


def test_one_pair_tells_nothing_and_caps_too():
    session = with_role(make_session(SLOWER), "placebo", EVEN[:1])
    result = judge(session, STUDY)
    assert controls_of(result)["placebo"].held is None
    assert controls_of(result)["placebo"].reason == TooFewPairs(1)
    assert words(result) == {INCONCLUSIVE}


def test_a_difference_shown_to_be_tiny_is_no_failure():
    result = judged(placebo=[1.004, 1.0041, 1.0039, 1.004, 1.0042])
    assert controls_of(result)["placebo"].held is True


def test_a_control_run_without_its_partner_is_named():
    session = with_role(make_session(SLOWER), "placebo", EVEN)
    entries = tuple(e for e in session.entries if e.run_id != "t1-python-cpu")
    result = judge(replace(session, entries=entries), STUDY)
    reasons = {e.run_id: e.reason for e in result.exclusions}
    assert reasons["t1-python-cpu-placebo"] == NoPartner(1, PYTHON, "main")
    assert len(controls_of(result)["placebo"].blocks) == 4


def test_control_runs_never_enter_the_claims():
    plain = judge(make_session(SLOWER), STUDY).comparisons[0]
    with_them = judged().comparisons[0]
    assert plain.estimates == with_them.estimates
    assert plain.blocks == with_them.blocks


def test_how_far_one_pair_lies_off_is_the_textbook_prediction_interval():
    logs = [0.05, -0.03, 0.02, -0.04, 0.01]
    found = estimate("mean", [(math.exp(log), 1.0) for log in logs])
    # t(0.975, 4) = 2.7764 by the tables.
    half = 2.7764451 * found.sd_log * math.sqrt(1 + 1 / 5)
    assert single_pair_log(found) == pytest.approx(half, rel=1e-6)
    assert single_pair_log(estimate("mean", [(1.0, 1.0), (1.1, 1.0)])) is None


@pytest.mark.parametrize(
    ("found", "held"), [(1.5, True), (1.05, False), (1.4, False), (1.6, False), (0.95, False)]
)
def test_a_slowdown_is_found_with_its_own_size(found, held):
    slower = [math.log(found) + off for off in (-0.004, 0.001, 0.003)]
    assert slowed_holds(slower, 50.0)[0] is held


def test_an_open_slowdown_caps_no_difference_that_was_found():
    """A session that found a large difference need not find a smaller one; a fixed one must."""
    found = [0.62, 0.58, 0.6, 0.61, 0.59, 0.6, 0.6, 0.59]
    wide = [1.3, 0.9, 1.2, 0.95, 1.25, 0.9, 1.3, 0.85]
    fixed = with_role(make_session(paired(found)), "slowed", wide, PYTHON)
    plan = replace(fixed.header.plan, stopping=Stopping(6, 0.1, 0.2, "size"))
    looked = replace(fixed, header=replace(fixed.header, plan=plan))
    words, held, lines, notes = {}, {}, {}, {}
    for name, session in (("fixed", fixed), ("looked", looked)):
        judged = judge(session, make_study())
        (part,) = judged.comparisons
        lines[name] = controls_line(judged)
        notes[name] = control_runs(build_report(session, make_study()))[-1]
        (control,) = part.controls
        words[name], held[name] = part.verdicts[0].word, control.held
    assert held == {"fixed": False, "looked": None}
    assert words == {"fixed": INCONCLUSIVE, "looked": OPPOSITE}
    assert lines["fixed"] != lines["looked"]
    assert "FAILED" not in lines["looked"]
    assert notes["looked"].text.startswith(notes["fixed"].text)
    assert notes["looked"] != notes["fixed"]


def test_an_open_slowdown_caps_equality():
    """Where no difference was found, a session must show that it could have found one."""
    same = [1.001, 0.999, 1.0, 1.002, 0.998, 1.0, 1.001, 0.999]
    wide = [1.3, 0.9, 1.2, 0.95, 1.25, 0.9, 1.3, 0.85]
    session = with_role(make_session(paired(same)), "slowed", wide, PYTHON)
    plan = replace(session.header.plan, stopping=Stopping(6, 0.1, 0.2, "size"))
    session = replace(session, header=replace(session.header, plan=plan))
    (part,) = judge(session, make_study()).comparisons
    assert part.verdicts[0].word == INCONCLUSIVE
    assert part.verdicts[0].reason.without == EQUIVALENT


@pytest.mark.parametrize(("ratio", "word"), [(1.0, INCONCLUSIVE), (0.6, OPPOSITE)])
def test_an_open_slowdown_caps_a_claim_of_equality_unless_a_difference_was_found(ratio, word):
    times = [ratio * each for each in (1.001, 0.999, 1.0, 1.002, 0.998, 1.0, 1.001, 0.999)]
    wide = [1.3, 0.9, 1.2, 0.95, 1.25, 0.9, 1.3, 0.85]
    session = with_role(make_session(paired(times)), "slowed", wide, PYTHON)
    plan = replace(session.header.plan, stopping=Stopping(6, 0.1, 0.2, "size"))
    session = replace(session, header=replace(session.header, plan=plan))
    (part,) = judge(session, make_study(claims=(make_equal(),))).comparisons
    assert part.controls[0].is_open
    assert part.verdicts[0].word == word


def test_a_slowdown_of_another_size_caps_whatever_was_found():
    found = [0.62, 0.58, 0.6, 0.61, 0.59, 0.6, 0.6, 0.59]
    other = [1.5 + ratio / 10 for ratio in found]
    session = with_role(make_session(paired(found)), "slowed", other, PYTHON)
    plan = replace(session.header.plan, stopping=Stopping(6, 0.1, 0.2, "size"))
    session = replace(session, header=replace(session.header, plan=plan))
    (part,) = judge(session, make_study()).comparisons
    assert part.controls[0].held is False
    assert part.verdicts[0].word == INCONCLUSIVE


def test_with_looks_an_interval_needs_the_pairs_of_the_first_one():
    few = [1.1, 1.12, 1.11, 1.1, 1.09]
    session = make_session(paired(few))
    for role in ("placebo", "slowed"):
        session = with_role(session, role, EVEN)
    plan = replace(session.header.plan, stopping=Stopping(6, 0.1, 0.2, "size"), blocks=8)
    session = replace(session, header=replace(session.header, plan=plan))
    (part,) = judge(session, make_study()).comparisons
    assert {control.reason for control in part.controls} == {TooFewPairs(5, 6)}
    assert {verdict.reason for verdict in part.verdicts} == {TooFewPairs(5, 6)}
    assert "at least 6" in control_text(part.controls[0].reason)
    assert "no interval" in estimate_note(part.estimates["mean"])
