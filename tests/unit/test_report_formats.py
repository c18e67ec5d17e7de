"""The formats for other tools: read by those tools, safe against what containers say."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from support.headings import heading
from support.sessions import (
    PYTHON,
    fail_run,
    make_fidelity,
    make_session,
    make_study,
    paired,
    run_named,
    with_role,
)

from kit.report.build import build_report
from kit.report.export import ci, render_all
from kit.report.export.ci import LIMIT_BYTES
from kit.report.export.times import COLUMNS
from kit.report.headline import headline
from kit.report.sections import environment
from kit.report.sections import session as session_parts
from kit.study.load import shipped_study

SIX = [1 / 0.936, 1 / 0.933, 1 / 0.939]
SLOWER = [0.70, 0.72, 0.69]
EVIL = "=1+1|`x`<script>alert(1)</script>]]>&\x1b[31m\u202e\x00\ufffe"


def model(ratios=SIX, study=None, session=None):
    session = session or make_session(paired(ratios, fits=4))
    return build_report(session, study or make_study())


def files(**kwargs):
    return render_all(model(**kwargs))


@pytest.mark.slow
def test_pyperf_reads_our_files_and_compares_them(tmp_path):
    for name, content in files(ratios=SLOWER).items():
        (tmp_path / name).write_bytes(content)
    ours = [tmp_path / f"pyperf-{arm}-cpu.json" for arm in ("python", "dotnet")]
    answer = subprocess.run(
        [sys.executable, "-m", "pyperf", "compare_to", *ours],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "slower" in answer.stdout
    shown = subprocess.run(
        [sys.executable, "-m", "pyperf", "check", ours[0]],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in shown.stdout + shown.stderr


def test_pyperf_keeps_every_value_and_marks_the_cold_fit(tmp_path):
    pyperf = pytest.importorskip("pyperf")
    path = tmp_path / "p.json"
    built = model()
    path.write_bytes(render_all(built)["pyperf-python-cpu.json"])
    benchmark = pyperf.Benchmark.load(str(path))
    raw = [run for run in built.raw if run.arm == PYTHON]
    assert benchmark.get_nrun() == len(raw) == 3
    assert list(benchmark.get_values()) == [f.wall_ns / 1e9 for r in raw for f in r.fits[1:]]
    assert [run.warmups[0][1] for run in benchmark.get_runs()] == [
        r.fits[0].wall_ns / 1e9 for r in raw
    ]


@pytest.mark.parametrize(
    ("started_at", "date"),
    [
        ("2026-01-02T12:34:56.123456789Z", "2026-01-02 12:34:56.123456"),
        ("2026-01-02T12:34:56.1+02:00", "2026-01-02 12:34:56.1"),
        ("2026-01-02T12:34:56-05:00", "2026-01-02 12:34:56"),
        ("", None),
        (EVIL, None),
    ],
)
def test_a_date_for_pyperf_has_no_zone(started_at, date):
    session = make_session(paired(SIX))
    entries = tuple(replace(entry, started_at=started_at) for entry in session.entries)
    got = render_all(model(session=replace(session, entries=entries)))
    (benchmark,) = json.loads(got["pyperf-python-cpu.json"])["benchmarks"]
    assert {run["metadata"].get("date") for run in benchmark["runs"]} == {date}


def test_hyperfines_fields_are_there_and_add_up():
    document = json.loads(files()["hyperfine.json"])
    first = document["results"][0]
    assert set(first) >= {"command", "mean", "stddev", "median", "user", "system", "min", "max"}
    assert first["command"] == PYTHON
    assert first["mean"] == pytest.approx(sum(first["times"]) / 3)
    assert len(first["times"]) == len(first["exit_codes"]) == 3


def test_the_csv_has_a_row_for_every_fit():
    rows = list(csv.DictReader(io.StringIO(files()["fits.csv"].decode(), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 2 * 3 * 4
    assert {row["counted"] for row in rows} == {"1"}
    assert float(rows[0]["wall_s"]) > 0


def test_a_control_is_a_row_of_the_csv_and_no_value_of_its_arm():
    session = with_role(make_session(paired(SIX, fits=4)), "slowed", [1.2, 1.21, 1.19])
    got, without = render_all(model(session=session)), files()
    for name in ("pyperf-python-cpu.json", "hyperfine.json"):
        assert got[name] == without[name]
    rows = list(csv.DictReader(io.StringIO(got["fits.csv"].decode(), newline="")))
    assert [row["role"] for row in rows].count("slowed") == 3 * 4
    assert {row["role"] for row in rows} == {"main", "slowed"}


def test_a_run_that_was_made_good_counts_everywhere_it_is_judged():
    whole = make_session(paired(SIX, fits=4))
    good = run_named(whole, "t1-dotnet-cpu")
    failed = fail_run(whole, "t1-dotnet-cpu")
    session = replace(failed, entries=(*failed.entries, good))
    built = model(session=session)
    assert len(built.judged.comparisons[0].blocks) == 3
    assert all(run.counted for run in built.raw)
    got, before = render_all(built), render_all(model(session=whole))
    times = [json.loads(f["hyperfine.json"])["results"][1]["times"] for f in (got, before)]
    assert sorted(times[0]) == sorted(times[1])
    assert len(json.loads(got["pyperf-dotnet-cpu.json"])["benchmarks"][0]["runs"]) == 3


def test_of_a_run_made_again_with_its_pair_the_last_counts():
    whole = make_session(paired(SIX, fits=4))
    plan = whole.header.plan
    runs = tuple(replace(r, pair=0) if r.kind == "timed" else r for r in plan.runs)
    entries = [replace(e, pair=0) if e.kind == "timed" else e for e in whole.entries]
    tried = [
        replace(e, record=None, failure="out of memory") if e.arm == "python-cpu" else e
        for e in entries
        if e.block == 1
    ]
    place = next(n for n, e in enumerate(entries) if e.block == 1)
    session = replace(
        whole,
        header=replace(whole.header, plan=replace(plan, runs=runs, design="duet")),
        entries=(*entries[:place], *tried, *entries[place:]),
    )
    raw = [run for run in model(session=session).raw if run.run_id == "t1-dotnet-cpu"]
    assert [(run.counted, run.statistics is not None) for run in raw] == [
        (False, False), (True, True),
    ]  # fmt: skip


def test_where_no_block_is_whole_no_arm_has_a_result():
    session = make_session(paired(SIX, fits=4))
    for run in ("t0-dotnet-cpu", "t1-python-cpu", "t2-dotnet-cpu"):
        session = fail_run(session, run)
    got = render_all(model(session=session))
    assert json.loads(got["hyperfine.json"]) == {"results": []}
    assert not [name for name in got if name.startswith("pyperf")]


def test_the_badge_is_of_the_verdict_that_the_headline_speaks_of():
    built = model()
    other = replace(built.verdicts[0], word="OPPOSITE", variant="cuda")
    message = json.loads(ci.render_badge(replace(built, lead=other)))["message"]
    assert message == "opposite"
    assert "(C1, cuda)" in headline(other, "dotnet", several=True)
    assert "(C1)" in headline(other, "dotnet")


def test_a_long_statement_does_not_push_out_what_was_measured():
    lead = model().lead
    told = headline(replace(lead, claim=replace(lead.claim, statement="x" * 900)), "dotnet")
    assert len(told) < 400 and "measured" in told


def test_runs_left_out_are_marked_in_the_csv_and_left_out_elsewhere():
    session = fail_run(make_session(paired(SIX, fits=4)), "t1-dotnet-cpu")
    got = render_all(model(session=session))
    rows = list(csv.DictReader(io.StringIO(got["fits.csv"].decode(), newline="")))
    assert {row["counted"] for row in rows if row["block"] == "1"} <= {"0", "1"}
    assert len(json.loads(got["hyperfine.json"])["results"][1]["times"]) == 2


@pytest.mark.parametrize(
    ("ratios", "failures", "skipped"), [(SIX, 0, 0), (SLOWER, 4, 0), ([1.2, 0.85, 1.1], 0, 4)]
)
def test_junit_fails_what_does_not_hold_and_skips_what_is_open(ratios, failures, skipped):
    root = ElementTree.fromstring(files(ratios=ratios)["claims.junit.xml"])
    suite = root.find("testsuite")
    assert (suite.get("failures"), suite.get("skipped")) == (str(failures), str(skipped))
    assert len(suite.findall("testcase/failure")) == failures
    assert len(suite.findall("testcase/skipped")) == skipped
    assert suite.get("tests") == str(len(suite.findall("testcase")))


def test_junit_holds_the_consistency_claims():
    root = ElementTree.fromstring(files(study=shipped_study())["claims.junit.xml"])
    cases = root.findall("testsuite/testcase[@classname='consistency']")
    assert len(cases) == 9
    assert sum(case.find("failure") is not None for case in cases) == 8


@pytest.mark.parametrize(
    ("ratios", "message", "colour"),
    [
        (SIX, "reproduced", "brightgreen"),
        (SLOWER, "opposite", "red"),
        ([1.2, 0.85, 1.1], "inconclusive", "lightgrey"),
        ([1.001, 0.999, 1.002, 0.998], "no difference", "orange"),
    ],
)
def test_the_badge_says_the_verdict(ratios, message, colour):
    badge = json.loads(files(ratios=ratios)["badge.json"])
    assert badge["schemaVersion"] == 1
    assert (badge["message"], badge["color"]) == (message, colour)


def test_a_substitute_shows_in_the_badge():
    session = make_session(paired(SIX), make_fidelity("binding"))
    assert "indicative" in json.loads(render_all(model(session=session))["badge.json"])["message"]


def test_the_summary_is_short_and_leads_on():
    text = files()["summary.md"].decode()
    assert text.startswith("# Does C# train")
    assert "| claim " in text
    assert heading(session_parts.raw) not in text
    assert len(text.encode()) <= LIMIT_BYTES


def test_a_summary_over_the_limit_is_cut_at_a_section():
    whole = ci.render_summary(model())
    text = ci.render_summary(model(), len(whole) - 1)
    assert len(text) < len(whole)
    assert b"| claim " in text
    last = f"## {heading(environment.fidelity)}".encode()
    assert last in whole and last not in text
    assert b"report.md" in text
    assert ci.render_summary(model(), 10) == b""


def test_the_same_session_gives_the_same_bytes():
    assert files() == files()


def test_hostile_strings_stay_data():
    study = make_study()
    claim = replace(study.claims[0], statement=EVIL, where=EVIL)
    study = replace(study, id=EVIL, title=EVIL, claims=(claim,))
    session = make_session(paired(SIX, fits=4))
    entries = tuple(replace(e, started_at=EVIL, run_id=f"={e.run_id}") for e in session.entries)
    plan = session.header.plan
    plan = replace(plan, runs=tuple(replace(r, run_id=f"={r.run_id}") for r in plan.runs))
    session = replace(session, entries=entries, header=replace(session.header, plan=plan))
    got = render_all(build_report(session, study))
    root = ElementTree.fromstring(got["claims.junit.xml"])
    assert "<script>alert(1)</script>" in root.find("testsuite/testcase").get("name")
    for row in csv.DictReader(io.StringIO(got["fits.csv"].decode(), newline="")):
        assert row["run_id"].startswith("'=")
    for name, content in got.items():
        if name.endswith(".json"):
            json.loads(content)
    assert b"<script" not in got["summary.md"]
    assert not {b"\x1b", b"\x00"} & {bytes([byte]) for byte in b"".join(got.values())}
