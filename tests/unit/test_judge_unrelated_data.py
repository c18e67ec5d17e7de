"""What has nothing to do with a comparison changes nothing in its verdicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sessions import (
    DOTNET,
    PYTHON,
    make_claim,
    make_entry,
    make_session,
    make_study,
    paired,
    run_named,
    with_role,
)

from kit.judge.comparison import judge
from kit.records.session import RunEntry, Session
from kit.study.model import Arm, Study

pytestmark = pytest.mark.slow

STUDY = make_study(claims=(make_claim(),))
STUDY = replace(
    STUDY,
    arms={
        **STUDY.arms,
        "python-cuda": Arm("python-cuda", "python", "cuda"),
        "dotnet-cuda": Arm("dotnet-cuda", "dotnet", "cuda"),
        # A study that is loaded has two stacks; the judge reads logs of any.
        "rust-cpu": Arm("rust-cpu", "rust", "cpu"),
    },
)
ratios = st.floats(0.3, 3.0)
Times = dict[str, list[list[float]]]


def numbers(session: Session, study: Study = STUDY) -> list[Any]:
    """Every word and number on the claims in the CPU variant."""
    judged = judge(session, study)
    (part,) = (part for part in judged.comparisons if part.pair.variant == "cpu")
    training = [t for t in judged.training if t.variant == "cpu"]
    return [part.pair, part.blocks, part.same_work.held, part.estimates, *part.verdicts, *training]


def positions_of(session: Session, times: Times) -> Session:
    """The session with the same positions whichever arms are there: they are the plan's."""
    order = {arm: place for place, arm in enumerate(times)}
    plan = session.header.plan
    runs = tuple(replace(run, position=order[run.arm]) for run in plan.runs)
    entries = tuple(replace(e, position=order[e.arm]) for e in session.entries)
    header = replace(session.header, plan=replace(plan, runs=runs))
    return replace(session, header=header, entries=entries)


def failed(entry: RunEntry) -> RunEntry:
    return replace(entry, record=None, failure="out of memory", exit_code=137)


def tried_before(session: Session, run_id: str) -> Session:
    """A try of that run that failed, before the good one."""
    entries: list[RunEntry] = []
    for entry in session.entries:
        if entry.run_id == run_id:
            entries.append(failed(entry))
        entries.append(entry)
    return replace(session, entries=tuple(entries))


def one_more_block(session: Session, arm: str, change: Callable[[RunEntry], RunEntry]) -> Session:
    """A planned block of which one arm's run, changed like this, is all there is."""
    plan = session.header.plan
    mains = [run for run in plan.runs if run.kind == "timed"]
    number = plan.blocks
    of_block = [
        replace(run, run_id=f"t{number}-{run.arm}", block=number)
        for run in mains
        if run.block == 0 and run.role == "main"
    ]
    header = replace(
        session.header, plan=replace(plan, runs=(*plan.runs, *of_block), blocks=number + 1)
    )
    (run,) = (run for run in of_block if run.arm == arm)
    extra = change(make_entry(run, [9.0] * run.repeats))
    return replace(session, header=header, entries=(*session.entries, extra))


blocks = st.lists(ratios, min_size=2, max_size=7)


@given(blocks, st.sampled_from(["rust-cpu", "python-cuda", "dotnet-cuda"]), ratios)
def test_an_arm_of_another_stack_or_variant_changes_nothing(
    found: list[float], arm: str, ratio: float
) -> None:
    times = paired(found, fits=2)
    more = {**times, arm: [[wall * ratio for wall in run] for run in times[PYTHON]]}
    alone, beside = (positions_of(make_session(t), more) for t in (times, more))
    assert numbers(beside) == numbers(alone)


@given(blocks, ratios)
def test_another_variant_changes_nothing(found: list[float], ratio: float) -> None:
    times = paired(found, fits=2)
    slow = [[wall * ratio for wall in run] for run in times[PYTHON]]
    more = {**times, "python-cuda": slow, "dotnet-cuda": times[DOTNET]}
    alone, beside = (positions_of(make_session(t), more) for t in (times, more))
    assert numbers(beside) == numbers(alone)


@given(blocks, st.sampled_from(["pilot", "quiet", "probe"]), st.data())
def test_a_run_of_another_role_changes_nothing(
    found: list[float], role: str, data: st.DataObject
) -> None:
    session = make_session(paired(found, fits=2))
    factors = data.draw(st.lists(ratios, min_size=1, max_size=len(found)))
    arm = data.draw(st.sampled_from([PYTHON, DOTNET]))
    assert numbers(with_role(session, role, factors, arm)) == numbers(session)


@given(blocks, st.data())
def test_a_try_that_failed_changes_nothing(found: list[float], data: st.DataObject) -> None:
    session = make_session(paired(found, fits=2))
    ids = [entry.run_id for entry in session.entries]
    tried = session
    for run_id in data.draw(st.lists(st.sampled_from(ids), min_size=1, max_size=4)):
        tried = tried_before(tried, run_id)
    assert numbers(tried) == numbers(session)


def unusable(entry: RunEntry) -> RunEntry:
    assert entry.record is not None
    fits = tuple(replace(fit, wall_ns=0) for fit in entry.record.fits)
    return replace(entry, record=replace(entry.record, fits=fits))


@given(blocks, st.sampled_from([PYTHON, DOTNET]), st.sampled_from([failed, unusable, lambda e: e]))
def test_a_block_without_its_partner_changes_nothing(
    found: list[float], arm: str, change: Callable[[RunEntry], RunEntry]
) -> None:
    session = make_session(paired(found, fits=2))
    more = one_more_block(session, arm, change)
    assert run_named(more, f"t{len(found)}-{arm}") in more.entries
    assert numbers(more) == numbers(session)
