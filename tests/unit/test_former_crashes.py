"""Inputs that once ended in a crash far from where they were read: refused by name, or shown."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from support.sessions import make_session, paired, report_md

from kit.cli import cli
from kit.errors import InputError, RunError
from kit.plan.budget import MAX_SEQUENTIAL
from kit.plan.make import make_plan, maker_of, plan_sha256
from kit.plan.model import MAX_BLOCKS, plan_from
from kit.plan.resources import Resources
from kit.plan.spec import spec_json
from kit.records.record import parse_record, record_document
from kit.report import appendix, export, results_json
from kit.report.build import build_report
from kit.results import RUN_LOG
from kit.results.runlog import RunLog, read_session
from kit.schemas import schema
from kit.study.load import load_study, shipped_folder, shipped_study

pytestmark = pytest.mark.slow

HUGE = 10**320
"""An integer that no float can be."""
LARGE = 10**200
"""One that a float can be, and no machine has."""
LARGEST = 2**63 - 1
IDENTITY, RUN = 1, 3
"""Lines of the log below: an identity run and a timed one, behind the header."""


def log(folder: Path, line: int, path: str, value: object) -> Path:
    """A session's log in which one field of one line is another; a plan keeps its own sum."""
    session = make_session(paired([1.05, 1.06, 1.04]))
    RunLog.create(folder, session.header).add_entries(session.entries)
    documents = [json.loads(text) for text in (folder / RUN_LOG).read_text().splitlines()]
    put(documents[line], path, value)
    documents[0]["plan_sha256"] = plan_sha256(plan_from(documents[0]["plan"]))
    (folder / RUN_LOG).write_text("".join(json.dumps(each) + "\n" for each in documents))
    return folder


def put(document: Any, path: str, value: object) -> None:
    *way, last = (int(key) if key.isdigit() else key for key in path.split("."))
    for key in way:
        document = document[key]
    document[last] = value


def reported(folder: Path) -> str:
    """Everything that is written of a log, its plots aside."""
    session = read_session(folder)
    model = build_report(session, shipped_study())
    export.render_all(model)
    results_json.dumps(model)
    return report_md(model) + appendix.render(session, model)["appendix.md"].decode()


COUNTS = [
    (0, "host.memory_bytes"),
    (0, "host.cpus"),
    (0, "plan.limits.memory_bytes"),
    (0, "images.python-cpu.size_bytes"),
    (RUN, "host.available_bytes_before"),
    (RUN, "host.steal_ticks"),
    (RUN, "host.swapped_pages"),
    (RUN, "host.throttle_events"),
    (RUN, "record.fits.0.rss_after_bytes"),
    (RUN, "record.fits.0.user_ns"),
    (RUN, "record.fits.0.wall_ns"),
]


@pytest.mark.parametrize(("line", "path"), [*COUNTS, (0, "plan.seed"), (IDENTITY, "exit_code")])
def test_a_number_that_no_machine_has_is_refused_by_its_field(
    tmp_path: Path, line: int, path: str
) -> None:
    field = path.rsplit(".", maxsplit=1)[-1]
    with pytest.raises(InputError, match=field):
        reported(log(tmp_path, line, path, LARGE))


@pytest.mark.parametrize(("line", "path"), COUNTS)
def test_the_largest_number_that_is_read_is_shown(tmp_path: Path, line: int, path: str) -> None:
    assert "inf" not in reported(log(tmp_path, line, path, LARGEST)).split()


@pytest.mark.parametrize(
    "time", ["2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "2026-01-02T03:04:05Z\n", "today"]
)
@pytest.mark.parametrize(
    ("line", "field"), [(RUN, "started_at"), (RUN, "finished_at"), (0, "created")]
)
def test_a_time_of_another_form_is_refused_by_its_field(
    tmp_path: Path, time: str, line: int, field: str
) -> None:
    with pytest.raises(InputError, match=field):
        reported(log(tmp_path, line, field, time))


@pytest.mark.parametrize(
    "time",
    ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-02-30T00:00:00Z"],
)
@pytest.mark.parametrize(
    ("line", "field"), [(RUN, "started_at"), (RUN, "finished_at"), (0, "created")]
)
def test_a_time_that_no_clock_shows_is_no_crash(
    tmp_path: Path, time: str, line: int, field: str
) -> None:
    assert reported(log(tmp_path, line, field, time))


def test_times_with_and_without_a_zone_have_no_difference() -> None:
    run = make_session(paired([1.0])).entries[0]
    assert replace(run, started_at="2026-01-02T03:04:05").seconds is None


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("plan.arms.0", "nowhere", "nowhere"),
        ("plan.runs.2.arm", "nowhere", "nowhere"),
        ("plan.runs.2.role", "nothing", "role"),
        ("plan.runs.2.role", "-reference", "role"),
        ("plan.roles.0", "nothing", "roles"),
        ("plan.design", "duet", "a duet plan"),
        ("plan.limits.cpuset", "0-99999999999", "cpuset"),
        ("plan.limits.cpuset", "x", "cpuset"),
        ("plan.runs.2.cpuset", "0-99999999999", "cpuset"),
    ],
)
def test_a_plan_of_words_that_mean_nothing_is_refused_by_name(
    tmp_path: Path, path: str, value: str, named: str
) -> None:
    folder, study = log(tmp_path, 0, path, value), shipped_study()
    with pytest.raises(InputError, match=named):
        plan = read_session(folder).header.plan
        maker_of(study, plan).block(0, plan.design, 0)
        for run in plan.runs:
            spec_json(run, study)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return Path(shutil.copytree(shipped_folder(), tmp_path / "study"))


@pytest.mark.parametrize(
    "text",
    [
        '{"properties": "x"}',
        '{"properties": {"epochs": 3}}',
        '{"properties": {"epochs": {"minimum": "x"}}}',
        '{"properties": {"epochs": {"type": 1}}}',
        '{"properties": {"epochs": {"enum": 3}}}',
        '{"properties": {"layers": {"items": 1}}}',
        '{"required": 1}',
        '{"required": [{}]}',
        '{"patternProperties": 1}',
        '{"additionalProperties": false, "properties": 1.5}',
        '{"anyOf": {"type": "object"}}',
    ],
)
def test_a_workload_schema_that_is_none_is_refused_by_its_file(study: Path, text: str) -> None:
    (study / "workload.schema.json").write_text(text)
    with pytest.raises(InputError, match=r"workload\.schema\.json"):
        load_study(study)


@pytest.mark.parametrize("name", [b"bad\xff", b"\xed\xa0\x80", b"notes/\xfe.txt"])
def test_a_file_of_a_study_whose_name_is_no_text_is_refused(study: Path, name: bytes) -> None:
    (study / "notes").mkdir()
    Path(os.fsdecode(os.fsencode(study) + b"/" + name)).write_text("x")
    with pytest.raises(InputError, match="not UTF-8"):
        load_study(study)


def changed(study: Path, path: str, value: object) -> Path:
    file = study / "study.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    put(document, path, value)
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return study


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("protocol.tiers.quick.blocks", MAX_BLOCKS + 1),
        ("protocol.tiers.quick.repeats", 10**7),
        ("protocol.tiers.standard.pilot", MAX_BLOCKS + 1),
        ("protocol.published_repeats", 10**29),
        ("protocol.minimum_repeats", 10**29),
        ("protocol.identity_seed", 2**63),
        ("protocol.run_timeout_s", 1e308),
        ("protocol.cost.fit_s", 1e308),
        ("protocol.cost.run_overhead_s", 1e308),
        ("protocol.memory.base_mb", 10**29),
        ("protocol.memory.per_repeat_mb", 10**29),
        ("protocol.disk_mb.cpu", 10**29),
        ("paper.figures.python.total", 1e308),
        ("paper.last_epoch.loss.1", 1e308),
    ],
)
@pytest.mark.parametrize("budget", ["quick", "20m"])
def test_a_number_that_no_study_needs_is_refused_by_its_field(
    study: Path, path: str, value: object, budget: str
) -> None:
    with pytest.raises(InputError, match=path.removesuffix(".1").replace(".", r"\.")):
        make_plan(load_study(changed(study, path, value)), budget, (), 1, Resources("0-1", 2**34))


def test_fits_that_take_no_time_fill_no_budget(study: Path) -> None:
    free = {"run_overhead_s": 0, "fit_s": 1e-320}
    found = load_study(changed(study, "protocol.cost", free))
    plan = make_plan(found, "9999m", (), 1, Resources("0-1", 2**34))
    assert plan.blocks == MAX_SEQUENTIAL


def test_as_many_blocks_may_be_asked_for_as_a_study_may_have() -> None:
    tier = schema("study")["properties"]["protocol"]["properties"]["tiers"]["additionalProperties"]
    assert tier["properties"]["blocks"]["maximum"] == MAX_BLOCKS
    for command in ("reproduce", "ablate"):
        done = CliRunner().invoke(cli, [command, "--blocks", str(MAX_BLOCKS + 1)])
        assert done.exit_code == 2
        assert "--blocks" in done.output


def test_a_seed_that_no_log_can_hold_is_refused() -> None:
    done = CliRunner().invoke(cli, ["reproduce", "--seed", str(2**63)])
    assert done.exit_code == 2
    assert "--seed" in done.output


def test_half_a_character_in_a_field_of_a_record_is_refused() -> None:
    session = make_session(paired([1.05]))
    (record, *_) = (entry.record for entry in session.entries if entry.record is not None)
    document = record_document(record)
    document["versions"]["\ud800"] = "1"
    with pytest.raises(RunError):
        parse_record(json.dumps(document), "record")


@pytest.mark.parametrize("field", ["losses", "accuracies"])
def test_a_number_that_no_float_can_be_is_refused_where_it_is_read(
    tmp_path: Path, field: str
) -> None:
    with pytest.raises(InputError):
        read_session(log(tmp_path, IDENTITY, f"record.fits.0.{field}.0", HUGE))
