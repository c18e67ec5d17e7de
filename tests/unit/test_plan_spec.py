"""The spec of a run: by the schema, and the same for both programs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from support.sessions import make_study

from kit.errors import InputError
from kit.plan.make import make_plan
from kit.plan.resources import Resources
from kit.plan.roles import slowdown_percent
from kit.plan.spec import spec_json
from kit.schemas import problems
from kit.study.load import shipped_study

STUDY = make_study()
PLAN = make_plan(STUDY, "quick", (), 1, Resources("0-1", 10**12))
TIMED = next(run for run in PLAN.runs if run.kind == "timed")


def test_every_spec_of_the_shipped_study_fits_the_schema() -> None:
    study = shipped_study()
    for tier in study.protocol.tiers:
        for run in make_plan(study, tier, (), 1, Resources("0", 10**12)).runs:
            assert problems("spec", json.loads(spec_json(run, study))) == []


def test_a_spec_says_what_the_run_is() -> None:
    identity = PLAN.runs[0]
    document = json.loads(spec_json(identity, STUDY))
    assert document["run_id"] == identity.run_id
    assert (document["kind"], document["seed"]) == ("identity", 20220501)
    assert document["repeats"] == identity.repeats
    timed = json.loads(spec_json(TIMED, STUDY))
    assert (timed["arm"], timed["seed"], timed["repeats"]) == (TIMED.arm, None, 5)


def test_a_run_says_what_is_different_about_it() -> None:
    plain = json.loads(spec_json(TIMED, STUDY))["conditions"]
    assert plain == {"slowdown_percent": 0.0, "progress": True, "probe": False, "keep": False}
    slowed = json.loads(spec_json(replace(TIMED, role="slowed"), STUDY))["conditions"]
    assert slowed == {**plain, "slowdown_percent": slowdown_percent(STUDY)}
    reference = replace(TIMED, role="slowed-reference")
    assert json.loads(spec_json(reference, STUDY))["conditions"] == plain


def test_both_arms_get_the_same_workload() -> None:
    works = {json.dumps(json.loads(spec_json(r, STUDY))["workload"]) for r in PLAN.runs}
    assert len(works) == 1


def test_a_spec_is_the_same_text_each_time() -> None:
    text = spec_json(TIMED, STUDY)
    assert text == spec_json(TIMED, STUDY)
    assert "\n" not in text
    assert text == json.dumps(json.loads(text), sort_keys=True)


def test_a_spec_that_breaks_the_schema_never_starts_a_container() -> None:
    broken = replace(TIMED, repeats=0)
    with pytest.raises(InputError) as caught:
        spec_json(broken, STUDY)
    assert TIMED.run_id in caught.value.problem
    assert "repeats" in caught.value.problem
    assert "study.yaml" in caught.value.remedy
