"""Pairing: complete blocks are compared, everything else is named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sessions import (
    DOTNET,
    PYTHON,
    change_record,
    fail_run,
    make_fits,
    make_session,
    make_study,
    paired,
)

from kit.errors import InputError
from kit.judge.comparison import judge
from kit.judge.pairing import ArmPair, arm_pairs
from kit.study.model import Arm

THREE = paired([1.05, 1.06, 1.07])


def excluded(session):
    return [(e.block, e.arm, e.run_id, e.reason) for e in judge(session, make_study()).exclusions]


def blocks(session):
    return [b.block for b in judge(session, make_study()).comparisons[0].blocks]


def test_a_whole_session_excludes_nothing():
    session = make_session(THREE)
    assert excluded(session) == []
    assert blocks(session) == [0, 1, 2]


def test_a_failed_run_takes_its_block_along_and_both_are_named():
    session = fail_run(make_session(THREE), "t1-dotnet-cpu", "out of memory")
    assert blocks(session) == [0, 2]
    assert excluded(session) == [
        (1, DOTNET, "t1-dotnet-cpu", "the run failed: out of memory"),
        (
            1,
            PYTHON,
            "t1-python-cpu",
            "block 1 has no usable run of dotnet-cpu, so this run has no partner",
        ),
    ]


def test_a_failed_run_that_was_repeated_completes_its_block():
    whole = make_session(THREE)
    again = next(e for e in whole.entries if e.run_id == "t1-dotnet-cpu")
    session = fail_run(whole, "t1-dotnet-cpu")
    session = replace(session, entries=(*session.entries, replace(again, run_id="t1-again")))
    assert blocks(session) == [0, 1, 2]
    assert [row[2] for row in excluded(session)] == ["t1-dotnet-cpu"]


def test_of_two_good_runs_the_last_counts_and_the_first_is_named():
    whole = make_session(THREE)
    again = next(e for e in whole.entries if e.run_id == "t1-dotnet-cpu")
    session = replace(whole, entries=(*whole.entries, replace(again, run_id="t1-again")))
    assert excluded(session) == [
        (1, DOTNET, "t1-dotnet-cpu", "the same arm and block ran again later as t1-again")
    ]


@pytest.mark.parametrize("wall", [float("nan"), float("inf"), 0, -1])
def test_a_time_that_cannot_be_used_is_a_named_exclusion(wall):
    fits = make_fits([1.8, 1.7])
    session = change_record(
        make_session(THREE), "t2-python-cpu", fits=(fits[0], replace(fits[1], wall_ns=wall))
    )
    assert blocks(session) == [0, 1]
    (_, partner), (_, broken) = [(r[2], r[3]) for r in excluded(session)]
    assert "has no partner" in partner
    assert broken.startswith("fit 1 has a time that is not")


def test_a_run_the_log_lacks_is_named():
    session = make_session(THREE)
    session = replace(session, entries=session.entries[:-1])
    lost = session.header.plan.runs[-1]
    assert (2, lost.arm, lost.run_id, "planned, but the log has no such run") in excluded(session)


def test_a_run_of_an_arm_outside_the_plan_is_named():
    session = make_session(THREE)
    stray = replace(session.entries[-1], arm="python-cuda", run_id="stray")
    session = replace(session, entries=(*session.entries, stray))
    assert (2, "python-cuda", "stray", "the arm is not part of the plan") in excluded(session)


def test_missing_cpu_seconds_leave_the_block_in_the_wall_comparison():
    session = change_record(
        make_session(THREE), "t1-python-cpu", fits=make_fits([1.9] * 5, user_ns=0, system_ns=0)
    )
    estimates = judge(session, make_study()).comparisons[0].estimates
    assert estimates["mean"].pairs == 3
    assert estimates["cpu"].pairs == 2
    assert estimates["cpu"].note == "not recorded in block 1"


def test_every_variant_of_the_plan_is_a_pair():
    study = make_study()
    study = replace(study, arms={**study.arms, "python-cuda": Arm("python-cuda", "python", "cuda")})
    session = make_session({**THREE, "python-cuda": THREE[PYTHON]})
    assert arm_pairs(session, study) == (
        ArmPair("cpu", PYTHON, DOTNET),
        ArmPair("cuda", "python-cuda", None),
    )
    cuda = judge(session, study).comparisons[1]
    assert cuda.missing == ("the plan holds no dotnet arm of variant cuda",)


def test_an_arm_the_study_does_not_know_is_an_input_error():
    with pytest.raises(InputError, match="'rust-cpu' is not an arm of study"):
        arm_pairs(make_session({"rust-cpu": [[1.0]]}), make_study())
