"""A plan goes to JSON and back unchanged."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sessions import make_study

from kit.plan.make import make_plan, plan_sha256
from kit.plan.model import plan_document, plan_from
from kit.plan.resources import Resources

STUDY = make_study()


@given(st.integers(0, 2**62), st.integers(5 * 10**9, 10**12), st.sampled_from(["quick", "20m"]))
def test_round_trip_keeps_plan_and_hash(seed: int, memory: int, budget: str) -> None:
    plan = make_plan(STUDY, budget, (), seed, Resources("0-1", memory))
    again = plan_from(json.loads(json.dumps(plan_document(plan))))
    assert again == plan
    assert hash(again) == hash(plan)  # tuples, not lists
    assert plan_sha256(again) == plan_sha256(plan)


def test_notes_travel() -> None:
    plan = make_plan(STUDY, "quick", (), 1, Resources("0-1", 5 * 10**9))
    assert plan.notes
    assert plan_from(json.loads(json.dumps(plan_document(plan)))).notes == plan.notes


def test_an_edited_document_has_another_hash() -> None:
    plan = make_plan(STUDY, "quick", (), 1, Resources("0-1", 10**12))
    document = json.loads(json.dumps(plan_document(plan)))
    document["runs"][3]["repeats"] += 1
    assert plan_sha256(plan_from(document)) != plan_sha256(plan)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("limits"),
        lambda d: d.pop("seed"),
        lambda d: d.update(colour="red"),
        lambda d: d["runs"][0].pop("arm"),
        lambda d: d["limits"].update(swap=1),
        lambda d: d.update(runs=None),
    ],
)
def test_no_plan_raises_what_it_says(change) -> None:
    plan = make_plan(STUDY, "quick", (), 1, Resources("0-1", 10**12))
    document = json.loads(json.dumps(plan_document(plan)))
    change(document)
    with pytest.raises((KeyError, TypeError)):
        plan_from(document)
