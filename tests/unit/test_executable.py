"""The executable claim: from one run to a verdict, through the log and into the report."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from fakes.engine import SUCCESS, FakeEngine, image
from support.sessions import (
    make_fidelity,
    make_record,
    make_session,
    make_study,
    paired,
    printed,
    report_md,
)

from kit.app.runner import run_executable
from kit.judge.executable import judge_executable
from kit.judge.reasons import ExecutableFails, ExecutableMisses, NoStart
from kit.plan.make import plan_sha256
from kit.plan.model import Limits
from kit.records.images import ArmImage, ExecutableRun
from kit.records.record import record_document
from kit.report.build import build_report
from kit.report.export import render_all
from kit.report.results_json import dumps
from kit.results.runlog import RunLog, read_session
from kit.schemas import problems
from kit.study.load import shipped_study

STUDY = shipped_study()
LIMITS = Limits("0", 4 * 10**9, 60.0)
NAME = "kit/executable:1"
ARM_IMAGE = ArmImage("executable", NAME, image(NAME).id, 1000)
MISSING = ExecutableRun(
    NAME, image(NAME).id, 212_000_000, "apphost", True, False, "libpython3.8.so.1.0", 69,
    "missing: libpython3.8.so.1.0\n",
)  # fmt: skip


def ran(exit_code, logs, record=None):
    files = {} if record is None else {"record.json": json.dumps(record).encode()}
    outcome = replace(SUCCESS, exit_code=exit_code, logs=logs, files=files)
    engine = FakeEngine(on_run=lambda request: outcome, images={NAME: image(NAME)})
    found = run_executable(engine, ARM_IMAGE, STUDY, "dotnet-cpu", LIMITS, "s")
    return found, engine.named("run")[0]


def verdict(run, *substituted):
    (found,) = judge_executable(STUDY.executable, run, make_fidelity(*substituted))
    return found


def test_what_is_missing_is_what_the_program_itself_named():
    found, request = ran(69, "apphost\nmissing: libpython3.8.so.1.0\n")
    assert (found.kind, found.started, found.trained) == ("apphost", True, False)
    assert found.missing == "libpython3.8.so.1.0"
    assert request.memory_bytes == LIMITS.memory_bytes
    spec = json.loads(request.env["KIT_SPEC"])
    assert (spec["variant"], spec["kind"], spec["arm"]) == ("cpu", "identity", "dotnet-cpu")


@pytest.mark.parametrize(
    ("code", "started"), [(70, True), (127, False), (139, False), (None, False)]
)
def test_a_crash_before_its_own_code_is_no_start(code, started):
    found, _ = ran(code, "apphost\nboom\n")
    assert (found.started, found.trained, found.missing) == (started, False, "")


def test_only_a_whole_record_is_a_training():
    good = record_document(make_record("executable", "dotnet-cpu", "identity", [1.0]))
    assert ran(0, "self-contained\n", good)[0].trained
    assert not ran(0, "self-contained\n", {"schema": 1})[0].trained
    assert not ran(0, "self-contained\n")[0].trained


def test_it_holds_only_where_it_trains_and_a_substitute_makes_it_indicative():
    assert verdict(replace(MISSING, trained=True)).printed == "REPRODUCED"
    assert verdict(MISSING).printed == "OPPOSITE"
    assert verdict(MISSING).reason == ExecutableMisses("apphost", "libpython3.8.so.1.0")
    assert verdict(MISSING, "binding").printed == "INDICATIVE: OPPOSITE"
    rows = [replace(row, name=row.name.upper()) for row in make_fidelity()]
    (found,) = judge_executable(STUDY.executable, MISSING, rows)
    assert found.printed == "OPPOSITE", "a component is the same in any case of its letters"
    assert verdict(replace(MISSING, missing="")).reason == ExecutableFails("apphost", 69)
    assert verdict(replace(MISSING, started=False, missing="")).reason == NoStart("apphost", 69)
    assert verdict(None).printed == "NOT TESTABLE HERE"


def test_the_log_keeps_it_and_every_report_shows_it(tmp_path):
    session = make_session(paired([1.05, 1.06, 1.04]), make_fidelity("binding"))
    header = replace(session.header, plan_sha256=plan_sha256(session.header.plan))
    log = RunLog.create(tmp_path, header)
    log.add_executable(MISSING)
    assert read_session(tmp_path).executable == MISSING
    study = make_study()
    study = replace(study, executable=STUDY.executable)
    model = build_report(replace(session, executable=MISSING), study)
    text = report_md(model)
    assert "INDICATIVE: OPPOSITE" in text
    assert "libpython3.8.so.1.0" in text.split("## Executable")[1].split("\n## ")[0]
    assert "C6 executable" in printed(model)
    document = json.loads(dumps(model))
    assert problems("results", document) == []
    assert document["executable"][0]["run"]["missing"] == "libpython3.8.so.1.0"
    assert b"C6 An executable" in render_all(model)["claims.junit.xml"]


def test_hostile_output_stays_text(tmp_path):
    evil = replace(MISSING, output="```\n<script>|`\x1b[31m", missing="a|b`<i>", reference="x|y")
    session = make_session(paired([1.05, 1.06, 1.04]))
    study = replace(make_study(), executable=STUDY.executable)
    text = report_md(build_report(replace(session, executable=evil), study))
    assert "\x1b" not in text
    assert "<i>" not in text
