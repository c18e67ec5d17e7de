"""Explaining: every part is a difference of differences, with its interval."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.sessions import DOTNET, PYTHON, make_entry, make_session, make_study, paired

from kit.errors import InputError
from kit.judge.ablation import judge_ablation
from kit.plan.ablation import explaining_plan
from kit.plan.model import EXPLAIN, Limits
from kit.report.ablation import document, files, plain_text, summary

STUDY = make_study()
LIMITS = Limits("0-1", 10**11, 60.0)
PLAN = explaining_plan(STUDY, LIMITS, 3)
JITTER = (0.0, 0.002, -0.002)


def session_of(walls, change=lambda run, fits: fits):
    """A session whose runs take ``walls`` seconds a warm fit, by stack and role."""
    base = make_session(paired([1.0]))
    entries = []
    for run in PLAN.runs:
        stack = "python" if run.arm == PYTHON else "dotnet"
        wall = walls.get((stack, run.role), walls[stack, "main"])
        wall += JITTER[run.block] if stack == "python" and run.block >= 0 else 0
        entry = make_entry(run, [wall * 1.5, *[wall] * 3][: run.repeats], role=run.role)
        fits = change(run, entry.record.fits)
        entries.append(replace(entry, record=replace(entry.record, fits=fits)))
    return replace(base, header=replace(base.header, plan=PLAN), entries=tuple(entries))


WALLS = {
    ("python", "main"): 1.0,
    ("dotnet", "main"): 1.4,
    ("python", "quiet"): 0.95,
    ("dotnet", "quiet"): 1.25,
    ("python", "kept"): 1.3,
    ("dotnet", "allocator"): 1.2,
}


def probed(run, fits):
    inner = 0.01 if run.arm == PYTHON else 0.05
    if run.role != "probe":
        return fits
    return tuple(replace(f, inner_ns=f.wall_ns - round(inner * 1e9)) for f in fits)


def test_the_plan_changes_one_thing_in_each_run():
    assert PLAN.purpose == EXPLAIN
    block = [(r.arm, r.role) for r in PLAN.runs if r.block == 0]
    assert sorted(r for a, r in block if a == PYTHON) == sorted(("main", *STUDY.protocol.explain))
    assert (DOTNET, "kept") not in block
    with pytest.raises(InputError, match="need"):
        explaining_plan(STUDY, replace(LIMITS, memory_bytes=10**9), 3)


def test_parts_are_what_was_put_in():
    found = judge_ablation(session_of(WALLS, probed), STUDY)
    parts = {part.name: part for part in found.contrasts}
    assert parts["whole"].seconds == pytest.approx(0.4, abs=1e-3)
    assert parts["progress output"].seconds == pytest.approx(0.1, abs=1e-3)
    assert parts["memory kept"].seconds == pytest.approx(0.3, abs=1e-3)
    assert parts["memory kept"].share == pytest.approx(0.75, abs=0.01)
    assert parts["allocator"].seconds == pytest.approx(0.2, abs=1e-3)
    assert parts["binding"].seconds == pytest.approx(0.04, abs=1e-3)
    assert parts["inside the library"].seconds == pytest.approx(0.36, abs=1e-2)
    assert parts["terminal"].seconds == pytest.approx(0.0, abs=1e-9)
    assert not parts["terminal"].clear
    assert parts["cold start"].seconds == pytest.approx(0.2, abs=1e-2)
    # Of the whole, a warm fit's wall time, only wall time of a warm fit can be a share.
    assert {p.name for p in found.contrasts if p.share is None} == {
        "whole", "user CPU", "system CPU", "cold start",
    }  # fmt: skip
    assert summary(found)[0].startswith("A warm fit of dotnet-cpu takes 0.400 s more")
    assert any(line.startswith("memory kept: +0.300 s") for line in summary(found))
    assert "terminal" in summary(found)[-1]


def test_the_interval_is_the_textbook_one():
    part = judge_ablation(session_of(WALLS, probed), STUDY).total
    # Differences 0.400, 0.398, 0.402: SD 0.002, t(0.975, 2) = 4.3027.
    half = 4.302653 * 0.002 / 3**0.5
    assert part.interval.low == pytest.approx(0.4 - half, abs=1e-6)
    assert part.blocks == 3


def test_without_a_difference_nothing_is_explained():
    found = judge_ablation(session_of({("python", "main"): 1.0, ("dotnet", "main"): 1.0}), STUDY)
    assert "0.000 s" in summary(found)[0]
    assert all(part.share is None for part in found.contrasts)


def test_a_probe_that_saw_nothing_leaves_its_parts_open():
    parts = {p.name: p for p in judge_ablation(session_of(WALLS), STUDY).contrasts}
    assert (parts["binding"].seconds, parts["binding"].blocks) == (None, 0)


def test_one_arm_alone_cannot_be_explained():
    assert judge_ablation(make_session({PYTHON: [[1.0, 1.0]]}), STUDY) is None


def test_it_reads_well_everywhere():
    found = judge_ablation(session_of(WALLS, probed), STUDY)
    text = files(found)["explanation.md"].decode()
    assert "| memory kept" in text and "+0.300" in text
    assert max(len(line) for line in plain_text(found).splitlines()) <= 80
    assert document(found) == document(judge_ablation(session_of(WALLS, probed), STUDY))
