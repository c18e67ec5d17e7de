"""The pilot: what it fixes, and that fixing it keeps the error rates promised."""

from __future__ import annotations

import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from scipy import stats
from sessions import DOTNET, PYTHON, make_entry, make_session, make_study, paired

from kit.judge.pilot import fixed_plan, outlook, outlook_from
from kit.judge.power import blocks_needed, planning_sd
from kit.plan.make import make_plan
from kit.plan.resources import Resources
from kit.report.outlook import outlook_lines
from kit.study.load import shipped_study

STUDY = shipped_study()
PLENTY = Resources("0-3", 64 * 10**9, ("0-1", "2-3"))


def pilot(spread, design="sequential", budget="standard", duet_spread=None, seconds=20):
    """A session whose pilot blocks have that spread of log ratios, in every statistic."""
    plan = make_plan(STUDY, budget, (PYTHON, DOTNET), 3, PLENTY, design=design)
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
    found = outlook(pilot(0.05), STUDY)
    (design,) = found.designs
    assert design.sd_log == pytest.approx(0.05, rel=1e-6)
    assert design.planning_sd == pytest.approx(planning_sd(0.05, 5), rel=1e-6)
    assert found.blocks == blocks_needed(design.planning_sd, 6.5, 0.8)
    assert (found.claim, found.wanted_gain_percent) == ("C1", 6.5)
    assert [need.power for need in design.needs] == [0.8, 0.9]
    assert design.needs[1].blocks > design.needs[0].blocks
    # A pilot block is two runs of 20 s, a judged one four.
    assert design.block_s == pytest.approx(80)
    assert found.minutes_left == pytest.approx(found.blocks * design.block_s / 60)


def test_a_quiet_pilot_is_enough():
    found = outlook(pilot(0.005), STUDY)
    assert found.blocks == 6
    assert found.undecided == {}


def test_a_noisy_one_is_bounded_and_says_what_stays_open():
    found = outlook(pilot(0.3), STUDY)
    assert found.blocks == STUDY.protocol.tiers["standard"].blocks
    assert set(found.undecided) == {"C1", "C2", "C3", "C4"}
    assert found.undecided["C2"] is None or found.undecided["C2"] > found.blocks
    lines = outlook_lines(found)
    assert any("Not decided with 80% power" in line and "C1" in line for line in lines)
    assert any("the most within the budget's 20 blocks" in line for line in lines)


def test_minutes_bend_the_number():
    session = pilot(0.3, budget="20m", seconds=10)
    found = outlook(session, STUDY)
    block_s = found.designs[0].block_s
    spent = 10 * len(session.entries)
    assert found.blocks == int((1200 - spent) // block_s)
    assert "20 minutes" in found.reason


def test_auto_takes_the_design_that_decides_sooner():
    quieter = outlook(pilot(0.2, design="auto", duet_spread=0.02), STUDY)
    assert quieter.design == "duet" and "duet blocks decide sooner" in quieter.reason
    louder = outlook(pilot(0.02, design="auto", duet_spread=0.2), STUDY)
    assert louder.design == "sequential"
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
        outlook(replace(session, entries=shifted), STUDY).blocks == outlook(session, STUDY).blocks
    )


def test_a_pilot_without_a_pair_leaves_it_at_that():
    session = pilot(0.05)
    only = replace(session, entries=tuple(e for e in session.entries if e.arm == PYTHON))
    plan, found = fixed_plan(only, STUDY)
    assert found is None
    assert plan.blocks == 6
    assert outlook_lines(None)[0].startswith("Pilot: its blocks tell no spread")


def test_an_outlook_survives_the_log():
    found = outlook(pilot(0.05), STUDY)
    assert outlook_from(asdict(found)) == found
    assert outlook_from({}) is None


def test_a_study_without_claims_plans_nothing():
    assert outlook(pilot(0.05), make_study(claims=())) is None


def simulate(true_sd, gain, sessions, seed, heavy=False):
    """Sessions by the kit's own rule: pilot of 5, n from its spread, n more blocks judged."""
    random = np.random.default_rng(seed)
    effect = -math.log1p(-gain / 100)
    found = covered = 0
    for _ in range(sessions):
        draw = random.standard_t(4, 65) / math.sqrt(2) if heavy else random.normal(size=65)
        logs = effect + true_sd * draw
        sd = planning_sd(max(float(np.std(logs[:5], ddof=1)), 1e-4), 5)
        n = max(6, min(blocks_needed_fast(sd), 60))
        used = logs[5 : 5 + n]
        half = stats.t.ppf(0.975, n - 1) * np.std(used, ddof=1) / math.sqrt(n)
        low, high = np.mean(used) - half, np.mean(used) + half
        covered += low <= effect <= high
        found += low > 0 or high < 0
    return found / sessions, covered / sessions


_CACHE: dict[int, int] = {}


def blocks_needed_fast(sd):
    """The kit's own number, for spreads rounded up to a thousandth."""
    key = math.ceil(sd * 1000)
    if key not in _CACHE:
        _CACHE[key] = blocks_needed(key / 1000, 6.5, 0.8) or 1000
    return _CACHE[key]


@pytest.mark.parametrize("heavy", [False, True])
def test_equal_arms_are_called_different_no_more_often_than_promised(heavy):
    false, covered = simulate(0.06, 0.0, 4000, 5, heavy)
    assert false <= 0.07
    assert 0.93 <= covered <= 0.97


def test_an_effect_of_the_wanted_size_is_found_as_promised_or_more():
    power, covered = simulate(0.06, 6.5, 4000, 6)
    assert power >= 0.75
    assert 0.93 <= covered <= 0.97
