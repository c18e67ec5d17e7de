"""The pilot: what it fixes. Its error rates are in `tests/method`."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from datetime import timedelta

import numpy as np
import pytest
from support.sessions import (
    DOTNET,
    PYTHON,
    make_claim,
    make_entry,
    make_session,
    make_study,
    paired,
)

from kit.judge.pilot import evaluate_pilot, fixed_plan, power_target_of, read_pilot_result
from kit.judge.power import blocks_for, planning_sd
from kit.plan.budget import BY_PILOT
from kit.plan.make import make_plan
from kit.plan.model import Stopping
from kit.plan.resources import Resources
from kit.plan.roles import slowdown_percent
from kit.plan.spec import spec_json
from kit.records.session import moment
from kit.report.sample_size import pilot_lines
from kit.study.load import shipped_study

STUDY = shipped_study()
PLENTY = Resources("0-3", 64 * 10**9, ("0-1", "2-3"))


def pilot(spread, design="alternating", budget="standard", duet_spread=None, seconds=20):
    """A session whose pilot blocks have that spread of log ratios, in every statistic."""
    plan = make_plan(STUDY, budget, (PYTHON, DOTNET), 3, PLENTY, design=design, sizing=BY_PILOT)
    header = replace(make_session(paired([1.0])).header, plan=plan)
    entries = []
    noise = (-1.2, 0.9, 0.1, -0.6, 0.8)  # SD 0.89
    for index, run in enumerate(plan.runs):
        wall = 2.0
        if run.kind == "timed" and run.arm == PYTHON and run.role == "pilot":
            size = duet_spread if run.pair is not None and duet_spread is not None else spread
            turn = run.block // 2 if design == "auto" else run.block
            wall *= math.exp(size * noise[turn] / np.std(noise, ddof=1))
        begin = index * seconds
        entries.append(
            make_entry(
                run, [wall] * run.repeats, role=run.role, pair=run.pair,
                started_at=stamp(begin), finished_at=stamp(begin + seconds),
            )
        )  # fmt: skip
    return replace(make_session(paired([1.0])), header=header, entries=tuple(entries))


def stamp(second):
    return f"2026-01-02T{3 + second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"


def test_the_number_follows_from_the_spread_and_the_wanted_gain():
    found = evaluate_pilot(pilot(0.02), STUDY)
    (design,) = found.designs
    assert design.sd_log == pytest.approx(0.02, rel=1e-6)
    assert design.planning_sd == pytest.approx(planning_sd(0.02, 5), rel=1e-6)
    aim = power_target_of(STUDY.claims[0], STUDY, ("main", "placebo", "slowed"))
    assert found.blocks == blocks_for(design.planning_sd, design.control_sd, aim, 0.8)
    assert found.slowdown_percent == 6.95
    assert (found.claim, found.wanted_gain_percent) == ("C1", 6.5)
    assert [need.power for need in design.needs] == [0.8, 0.9]
    assert design.needs[1].blocks > design.needs[0].blocks
    # A pilot run takes 20 s, a judged block has four, one of them slowed.
    assert design.block_s == pytest.approx(80 + 20 * 0.0695)
    assert found.minutes_left == pytest.approx(found.blocks * design.block_s / 60)
    assert (found.sooner, found.limit, found.budget) == (False, "power", None)


def test_a_quiet_pilot_is_enough():
    found = evaluate_pilot(pilot(0.005), STUDY)
    assert (found.blocks, found.limit, found.budget) == (6, "fewest", None)
    assert found.undecided == {}


def test_a_noisy_one_is_bounded_and_says_what_stays_open():
    found = evaluate_pilot(pilot(0.3), STUDY)
    assert found.blocks == STUDY.protocol.tiers["standard"].blocks
    assert (found.limit, found.budget) == ("blocks", 25)
    assert set(found.undecided) == {"C1", "C2", "C3", "C4"}
    assert found.undecided["C2"] is None or found.undecided["C2"] > found.blocks
    lines = pilot_lines(found)
    assert any("Too few to reproduce with 80% power" in line and "C1" in line for line in lines)
    assert any("the most within the budget's 25 blocks" in line for line in lines)


def test_minutes_bend_the_number():
    session = pilot(0.3, budget="20m", seconds=10)
    found = evaluate_pilot(session, STUDY)
    block_s = found.designs[0].block_s
    spent = 10 * len(session.entries)
    assert found.blocks == int((1200 - spent) // block_s)
    assert (found.limit, found.budget) == ("minutes", 20)


def paused(session, hours, after):
    """The session as it is when it was stopped after so many runs and resumed later."""

    def later(entry):
        return replace(
            entry,
            started_at=moved(entry.started_at, hours), finished_at=moved(entry.finished_at, hours),
        )  # fmt: skip

    entries = session.entries
    return replace(session, entries=(*entries[:after], *map(later, entries[after:])))


def moved(text, hours):
    return (moment(text) + timedelta(hours=hours)).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("budget", ["standard", "20m"])
@pytest.mark.parametrize("after", [2, 3])
def test_a_pause_is_no_measuring(budget, after):
    """Between blocks, within one, after the identity runs: the plan stays the same."""
    session = pilot(0.02, budget=budget, seconds=10)
    assert evaluate_pilot(paused(session, 10, after), STUDY) == evaluate_pilot(session, STUDY)


def slept(session, hours, run, told):
    """The session as it is when the machine slept inside that run."""
    entry = session.entries[run]
    host = replace(entry.host, suspended_s=hours * 3600.0 if told else None)
    entry = replace(entry, finished_at=moved(entry.finished_at, hours), host=host)
    later = paused(session, hours, run + 1).entries[run + 1 :]
    return replace(session, entries=(*session.entries[:run], entry, *later))


@pytest.mark.parametrize("budget", ["standard", "20m"])
@pytest.mark.parametrize("run, told", [(0, True), (2, True), (2, False), (11, True), (11, False)])
def test_a_pause_inside_a_run_is_no_measuring(budget, run, told):
    """Ten hours of sleep inside one run planned the fewest blocks that there are."""
    session = pilot(0.02, budget=budget, seconds=10)
    found = evaluate_pilot(slept(session, 10, run, told), STUDY)
    assert found == evaluate_pilot(session, STUDY)
    assert found.blocks > 6


def test_of_two_pilot_runs_the_longer_is_the_paused_one():
    session = pilot(0.02, budget="20m", seconds=10)
    session = replace(session, entries=session.entries[:6])
    assert [entry.kind for entry in session.entries].count("timed") == 4
    assert evaluate_pilot(slept(session, 10, 2, told=False), STUDY) == evaluate_pilot(
        session, STUDY
    )


def test_every_control_is_counted_in_the_number():
    """A noisy statistic of the control alone asks for more blocks, as a narrow band does."""
    aim = power_target_of(STUDY.claims[0], STUDY, ("main", "placebo", "slowed"))
    alone = blocks_for(0.02, 0.02, replace(aim, slowed=None, placebo=False), 0.8)
    assert blocks_for(0.02, 0.02, aim, 0.8) >= alone
    assert blocks_for(0.02, 0.1, aim, 0.8) > 2 * alone
    assert blocks_for(0.02, 0.02, replace(aim, band=(5.5, 7.5)), 0.8) > 3 * alone


@pytest.mark.parametrize("gain, percent", [(6.5, 6.95), (3.0, 5.0), (85.0, 566.67), (-50.0, 50.0)])
def test_the_slowdown_is_the_claims_own_size(gain, percent):
    study = make_study(claims=(make_claim(gain=gain, band=(gain - 1, gain + 1)),))
    assert slowdown_percent(study) == percent
    run = next(r for r in pilot(0.02).header.plan.runs if r.role == "pilot")
    spec = json.loads(spec_json(replace(run, role="slowed"), study))
    assert spec["conditions"]["slowdown_percent"] == percent


def test_auto_takes_the_design_that_decides_sooner():
    quieter = evaluate_pilot(pilot(0.2, design="auto", duet_spread=0.02), STUDY)
    assert quieter.design == "duet" and quieter.sooner
    louder = evaluate_pilot(pilot(0.02, design="auto", duet_spread=0.2), STUDY)
    assert louder.design == "alternating"
    plan, found = fixed_plan(pilot(0.2, design="auto", duet_spread=0.05), STUDY)
    assert plan.design == "duet"
    judged = {r.block for r in plan.runs if r.role == "main" and r.block >= 0}
    assert len(judged) == found.blocks
    assert {r.design for r in plan.runs if r.block in judged} == {"duet"}


def test_the_number_does_not_depend_on_which_arm_is_faster():
    session = pilot(0.05)
    shifted = tuple(
        replace(
            e,
            record=replace(
                e.record,
                fits=tuple(replace(f, wall_ns=f.wall_ns * 3) for f in e.record.fits),
            ),
        )
        if e.arm == DOTNET
        else e
        for e in session.entries
    )
    assert (
        evaluate_pilot(replace(session, entries=shifted), STUDY).blocks
        == evaluate_pilot(session, STUDY).blocks
    )


def test_a_pilot_without_a_pair_leaves_it_at_that():
    session = pilot(0.05)
    only = replace(session, entries=tuple(e for e in session.entries if e.arm == PYTHON))
    plan, found = fixed_plan(only, STUDY)
    assert found is None
    assert plan.blocks == 6
    assert pilot_lines(None)[0].startswith("Pilot: no estimate of the spread")


def test_a_pilot_result_survives_the_log():
    found = evaluate_pilot(pilot(0.05), STUDY)
    assert read_pilot_result(asdict(found)) == found
    assert read_pilot_result({}) is None


def test_a_study_without_claims_plans_nothing():
    assert evaluate_pilot(pilot(0.05), make_study(claims=())) is None


def test_a_session_with_looks_has_as_many_blocks_as_can_be_looked_at():
    session = pilot(0.02, budget="600m", seconds=5)
    plan = replace(session.header.plan, stopping=Stopping(6, 0.1, 0.2, "size", 600))
    found = evaluate_pilot(replace(session, header=replace(session.header, plan=plan)), STUDY)
    assert (found.blocks, found.limit, found.budget) == (200, "blocks", 200)
