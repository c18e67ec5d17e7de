"""results.json: by its schema, sorted, and every number as it was."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from support.sessions import (
    DOTNET,
    PYTHON,
    change_record,
    fail_run,
    make_fidelity,
    make_fits,
    make_session,
    make_study,
    paired,
)

from kit.report.build import build_report
from kit.report.results_json import dumps, to_document
from kit.schemas import problems

TIMES = paired([1.0512345678901234, 1.06, 1.07])
SESSIONS = {
    "whole": make_session(TIMES, make_fidelity("binding")),
    "failed run": fail_run(make_session(TIMES), "t1-dotnet-cpu", "oom", "Killed"),
    "one arm": make_session({PYTHON: TIMES[PYTHON]}),
    "one block": make_session(paired([1.06])),
    "nothing ran": replace(make_session(TIMES), entries=()),
    "no number": change_record(
        make_session(TIMES),
        "t0-python-cpu",
        fits=make_fits([1.8] * 5, losses=(float("nan"),), paper_clock_s=float("inf")),
    ),
    "bad time": change_record(
        make_session(TIMES), "t0-python-cpu", fits=make_fits([1.8] * 5, wall_ns=float("nan"))
    ),
}


def document(session):
    return to_document(build_report(session, make_study()))


@pytest.mark.parametrize("name", SESSIONS)
def test_every_document_keeps_to_the_schema(name):
    assert problems("results", document(SESSIONS[name])) == []


@pytest.mark.parametrize("name", SESSIONS)
def test_text_reads_back_as_the_document(name):
    model = build_report(SESSIONS[name], make_study())
    text = dumps(model)
    assert json.loads(text) == to_document(model)
    assert "NaN" not in text
    assert "Infinity" not in text


def test_the_schema_refuses_what_it_does_not_know():
    broken = document(SESSIONS["whole"])
    broken["extra"] = 1
    broken["variants"][0]["verdicts"][0]["word"] = "PERHAPS"
    assert len(problems("results", broken)) == 2


def test_every_fit_is_there_as_recorded():
    session = SESSIONS["whole"]
    runs = {
        run["run_id"]: run for run in json.loads(dumps(build_report(session, make_study())))["runs"]
    }
    for entry in session.timed():
        for fit, got in zip(entry.record.fits, runs[entry.run_id]["fits"], strict=True):
            for field in ("index", "wall_ns", "paper_clock_s", "user_ns", "system_ns",
                          "minor_faults", "rss_before_bytes", "rss_after_bytes"):  # fmt: skip
                assert got[field] == getattr(fit, field)
            assert tuple(got["losses"]) == fit.losses
            assert tuple(got["accuracies"]) == fit.accuracies


def test_every_derived_number_is_unrounded():
    model = build_report(SESSIONS["whole"], make_study())
    got = json.loads(dumps(model))
    variant = got["variants"][0]
    for name, estimate in model.judged.comparisons[0].estimates.items():
        assert variant["estimates"][name]["ratio"] == estimate.ratio
        assert variant["estimates"][name]["gain_interval"]["low"] == estimate.gain_interval.low
        assert variant["estimates"][name]["sd_log"] == estimate.sd_log
    for verdict, read in zip(model.verdicts, variant["verdicts"], strict=True):
        assert read["measured"]["gain_percent"] == verdict.measured.gain_percent
        assert read["printed"] == verdict.printed
        assert read["figures_gain_percent"] == verdict.figures_gain_percent
    for run, read in zip(model.judged.runs, got["runs"], strict=True):
        assert read["statistics"]["warm_median"] == run.warm_median
        assert read["statistics"]["total"] == run.total
    for row, read in zip(model.variants[0].rows, variant["published"], strict=True):
        assert (read["baseline_s"], read["paper_baseline_s"]) == (row.baseline, row.paper_baseline)


def test_keys_are_sorted_and_bytes_are_the_same_twice():
    got = document(SESSIONS["whole"])
    assert list(got["arms"][0]["versions"]) == sorted(got["arms"][0]["versions"])
    texts = {dumps(build_report(make_session(TIMES), make_study())) for _ in range(2)}
    assert len(texts) == 1
    assert texts.pop().isascii()


def test_versions_that_changed_under_way_are_all_there():
    session = SESSIONS["whole"]
    versions = {**session.timed()[0].record.versions, "numpy": "9.9"}
    session = change_record(session, "t0-dotnet-cpu", versions=versions)
    arms = {arm["arm"]: arm for arm in document(session)["arms"]}
    assert arms[DOTNET]["versions"]["numpy"] == ["1.24.4", "9.9"]
