"""Pairing: complete blocks are compared, everything else is named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.sessions import (
    DOTNET,
    PYTHON,
    change_record,
    fail_run,
    make_fits,
    make_session,
    make_study,
    paired,
    run_named,
    with_role,
)

from kit.errors import InputError
from kit.judge.comparison import judge
from kit.judge.missing import NoArm, NoUsableRun
from kit.judge.pairing import ArmPair, NeverRan, NoPartner, RunEnded, RunFailed, arm_pairs
from kit.judge.statistics import TimeNotFinite, TimeNotPositive
from kit.plan.shard import Shard
from kit.report.conditions import excluded as rows
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
        (1, DOTNET, "t1-dotnet-cpu", RunFailed("out of memory")),
        (
            1,
            PYTHON,
            "t1-python-cpu",
            NoPartner(1, DOTNET, "main"),
        ),
    ]


def test_a_failed_run_that_was_repeated_completes_its_block():
    whole = make_session(THREE)
    again = run_named(whole, "t1-dotnet-cpu")
    session = fail_run(whole, "t1-dotnet-cpu")
    session = replace(session, entries=(*session.entries, again))
    assert blocks(session) == [0, 1, 2]
    assert [row[2] for row in excluded(session)] == ["t1-dotnet-cpu"]


def slower(entry):
    """The run once more, with other times: which of the two is compared decides the ratio."""
    fits = make_fits([9.0] * len(entry.record.fits))
    return replace(entry, record=replace(entry.record, fits=fits))


STRANGE = {
    "a good run once more": lambda s: slower(run_named(s, "t1-dotnet-cpu")),
    "a good identity run once more": lambda s: slower(run_named(s, "i-dotnet-cpu")),
    "a run that was not planned": lambda s: replace(run_named(s, "t1-dotnet-cpu"), run_id="t9"),
    "a block that was not planned": lambda s: replace(run_named(s, "t1-dotnet-cpu"), block=7),
    "another arm": lambda s: replace(run_named(s, "t1-dotnet-cpu"), arm=PYTHON),
    "another role": lambda s: replace(run_named(s, "t1-dotnet-cpu"), role="placebo"),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_a_log_whose_runs_are_not_its_plans_is_refused_by_name(kind):
    session = make_session(THREE)
    extra = STRANGE[kind](session)
    with pytest.raises(InputError) as caught:
        judge(replace(session, entries=(*session.entries, extra)), make_study())
    assert extra.run_id in caught.value.problem
    assert session.header.session_id in caught.value.problem


def test_a_run_of_another_shard_takes_no_place():
    session = make_session(THREE)
    session = replace(session, header=replace(session.header, shard=Shard(1, 3)))
    with pytest.raises(InputError, match="t1-python-cpu is not of shard 1/3"):
        judge(session, make_study())


@pytest.mark.parametrize("what", ["run_id", "role"])
def test_a_plan_that_holds_a_run_twice_is_refused_by_name(what):
    session = with_role(make_session(THREE), "placebo", [1.0, 1.0, 1.0])
    plan = session.header.plan
    place = [run.run_id for run in plan.runs].index("t1-python-cpu-placebo")
    main = next(run for run in plan.runs if run.run_id == "t1-python-cpu")
    double = replace(plan.runs[place], **{what: getattr(main, what)})
    runs = (*plan.runs[:place], double, *plan.runs[place + 1 :])
    header = replace(session.header, plan=replace(plan, runs=runs))
    with pytest.raises(InputError) as caught:
        judge(replace(session, header=header), make_study())
    assert main.run_id in caught.value.problem


@pytest.mark.parametrize("wall", [float("nan"), 0])
def test_a_time_that_cannot_be_used_is_a_named_exclusion(wall):
    first, second, *rest = make_fits([1.8, 1.7, 1.7, 1.7, 1.7])
    fits = (first, replace(second, wall_ns=wall), *rest)
    session = change_record(make_session(THREE), "t2-python-cpu", fits=fits)
    assert blocks(session) == [0, 1]
    (_, partner), (_, broken) = [(r[2], r[3]) for r in excluded(session)]
    assert partner == NoPartner(2, PYTHON, "main")
    assert broken == (TimeNotPositive(1, wall) if wall == 0 else TimeNotFinite(1, wall))


def test_a_run_the_log_lacks_is_named():
    session = make_session(THREE)
    session = replace(session, entries=session.entries[:-1])
    lost = session.header.plan.runs[-1]
    assert (2, lost.arm, lost.run_id, NeverRan()) in excluded(session)


def test_missing_cpu_seconds_leave_the_block_in_the_wall_comparison():
    session = change_record(
        make_session(THREE), "t1-python-cpu", fits=make_fits([1.9] * 5, user_ns=0, system_ns=0)
    )
    estimates = judge(session, make_study()).comparisons[0].estimates
    assert estimates["mean"].pairs == 3
    assert estimates["cpu"].pairs == 2
    assert estimates["cpu"].unrecorded == (1,)


def test_every_variant_of_the_plan_is_a_pair():
    study = make_study()
    study = replace(study, arms={**study.arms, "python-cuda": Arm("python-cuda", "python", "cuda")})
    session = make_session({**THREE, "python-cuda": THREE[PYTHON]})
    assert arm_pairs(session, study) == (
        ArmPair("cpu", PYTHON, DOTNET),
        ArmPair("cuda", "python-cuda", None),
    )
    cuda = judge(session, study).comparisons[1]
    assert cuda.missing == (NoArm("dotnet", "cuda"),)


def test_an_arm_without_a_usable_run_is_missing_with_what_left_them_out():
    session = make_session(THREE)
    for block, failure in enumerate(("out of memory", "timed out", "")):
        session = fail_run(session, f"t{block}-dotnet-cpu", failure)
    (missing,) = judge(session, make_study()).comparisons[0].missing
    reasons = (RunFailed("out of memory"), RunFailed("timed out"), RunEnded(1))
    assert missing == NoUsableRun(DOTNET, reasons)


def test_a_run_that_failed_twice_is_named_for_either_failure_and_alike_ones_once():
    session = fail_run(make_session(THREE), "t1-dotnet-cpu", "timed out")
    failed = run_named(session, "t1-dotnet-cpu")
    again = [replace(failed, failure=why) for why in ("out of memory", "timed out")]
    session = replace(session, entries=(*session.entries, *again))
    found = [row for row in excluded(session) if row[2] == "t1-dotnet-cpu"]
    assert [row[3] for row in found] == [RunFailed("timed out"), RunFailed("out of memory")]
    said = [row.reason for row in rows(judge(session, make_study()).exclusions)]
    assert said[:2] == ["the run failed: out of memory", "the run failed: timed out"]


def test_an_arm_the_study_does_not_know_is_an_input_error():
    with pytest.raises(InputError, match="'rust-cpu' is not an arm of study"):
        arm_pairs(make_session({"rust-cpu": [[1.0]]}), make_study())


def test_two_arms_of_one_stack_and_variant_are_refused_by_name():
    """One of the two would be compared, and the other left out without a word."""
    study = make_study()
    study = replace(study, arms={**study.arms, "mono-cpu": Arm("mono-cpu", "dotnet", "cpu")})
    session = make_session({**THREE, "mono-cpu": [[9.0] * 5] * 3})
    with pytest.raises(InputError) as caught:
        judge(session, study)
    for name in (DOTNET, "mono-cpu", "dotnet", "cpu"):
        assert name in caught.value.problem
