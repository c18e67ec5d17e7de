"""A plan that says one thing of itself and holds another contradicts itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from support.sessions import make_study

from kit.plan.budget import MAX_SEQUENTIAL
from kit.plan.coherent import contradictions
from kit.plan.make import make_plan
from kit.plan.model import Plan, PlannedRun, Stopping
from kit.plan.resources import Resources

PLAN = make_plan(make_study(), "quick", (), 1, Resources("0-1", 10**12))
FIRST, LAST = PLAN.runs[0], PLAN.runs[-1]
RULE = Stopping(first_look=6, shape=0.1, futility=0.2, until="size")


def with_runs(change: Callable[[PlannedRun], PlannedRun | None]) -> Plan:
    """The plan with every run changed, or left out."""
    runs = (change(run) for run in PLAN.runs)
    return replace(PLAN, runs=tuple(run for run in runs if run is not None))


def test_a_plan_as_it_was_made_agrees_with_itself() -> None:
    assert list(contradictions(PLAN)) == []


@pytest.mark.parametrize(
    ("plan", "named"),
    [
        (replace(PLAN, blocks=PLAN.blocks - 1), f"{PLAN.blocks - 1} blocks"),
        (replace(PLAN, pilot=2), "pilot of 2"),
        (replace(PLAN, repeats=PLAN.repeats + 1), "repeats"),
        (replace(PLAN, roles=("placebo",)), "main"),
        (replace(PLAN, arms=PLAN.arms[::-1]), "identity runs"),
        (replace(PLAN, design="duet"), "duet"),
        (replace(PLAN, runs=PLAN.runs[1:]), "identity runs"),
        (replace(PLAN, runs=PLAN.runs[:-1]), f"block {LAST.block}"),
        (replace(PLAN, runs=(*PLAN.runs[1:], FIRST)), "after the blocks"),
        (with_runs(lambda run: None if run.block == 1 else run), "numbered"),
        (with_runs(lambda run: None if run.block == LAST.block else run), f"{PLAN.blocks} blocks"),
        (with_runs(lambda r: replace(r, position=r.position + 1)), "numbered from 0"),
        (with_runs(lambda r: replace(r, kind="timed")), "kind timed in block -1"),
        (with_runs(lambda r: replace(r, arm="other") if r == LAST else r), "other"),
        (replace(PLAN, stopping=Stopping(PLAN.blocks + 1, 0.1, 0.2, "size")), "first look"),
    ],
)
def test_what_a_plan_says_and_does_not_hold_is_named(plan: Plan, named: str) -> None:
    assert any(named in line for line in contradictions(plan))


def test_more_looks_than_the_boundaries_can_be_computed_for_are_named() -> None:
    rule = Stopping(6, 0.1, 0.2, "size")
    for blocks, lines in ((MAX_SEQUENTIAL, 0), (MAX_SEQUENTIAL + 1, 1)):
        made = make_plan(make_study(), "quick", (), 1, Resources("0-1", 10**12), blocks=blocks)
        assert list(contradictions(made)) == []
        assert len(list(contradictions(replace(made, stopping=rule)))) == lines
