"""Executing a plan on a scripted engine: requests, failures, and when to stop."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.engine import (
    SUCCESS,
    FakeEngine,
    RunScript,
    fails,
    limited,
    out_of_memory,
    raises,
    times_out,
)
from support.measured import FakeHost, spec_of, works, works_but, wrote
from support.sessions import DOTNET, PYTHON, make_plan, make_session, make_study, paired

from kit.engine.protocol import SESSION_LABEL, RunOutcome, RunRequest
from kit.errors import HostError, RunError
from kit.measure.execute import LOG_TAIL_CHARACTERS, RunContext, execute
from kit.plan.make import plan_sha256
from kit.records.session import RunEntry, Session
from kit.results import RUN_LOG
from kit.results.runlog import RunLog, read_session

ARMS = (PYTHON, DOTNET)


def by_run(**scripts: RunScript) -> RunScript:
    """Runs whose id (with _ for -) is named follow that script, all others work."""

    def script(request: RunRequest) -> RunOutcome:
        return scripts.get(spec_of(request)["run_id"].replace("-", "_"), works)(request)

    return script


class Table:
    """A plan of two blocks, a log, and what became of them."""

    def __init__(self, folder: Path, script: RunScript, blocks: int = 2) -> None:
        self.folder = folder
        self.engine = FakeEngine(on_run=script)
        plan = make_plan(ARMS, blocks, 3)
        header = make_session(paired([1.05])).header
        self.header = replace(header, plan=plan, plan_sha256=plan_sha256(plan))
        self.log = RunLog.create(folder, self.header)
        self.before: list[str] = []
        self.after: list[RunEntry] = []

    def go(self, done: frozenset[str] = frozenset()) -> Session:
        context = RunContext(self.engine, FakeHost(), self.header.images, "session-1")
        execute(
            context,
            make_study(),
            self.header.plan,
            done,
            self.log,
            lambda run: self.before.append(run.run_id),
            self.after.append,
        )
        return read_session(self.folder)


def test_every_run_of_the_plan_is_made_in_order_and_logged(tmp_path: Path) -> None:
    table = Table(tmp_path, works)
    session = table.go()
    planned = [run.run_id for run in table.header.plan.runs]
    assert [entry.run_id for entry in session.entries] == planned
    assert table.before == planned
    assert [entry.failure for entry in session.entries] == [None] * 6
    assert tuple(table.after) == session.entries
    assert session.entries[0].host.steal_ticks == 10


def test_a_request_carries_the_spec_the_limits_and_the_labels(tmp_path: Path) -> None:
    table = Table(tmp_path, works)
    table.go()
    requests = table.engine.named("run")
    for run, request in zip(table.header.plan.runs, requests, strict=True):
        spec = spec_of(request)
        assert (spec["run_id"], spec["arm"], spec["repeats"]) == (run.run_id, run.arm, run.repeats)
        assert spec["seed"] == (20220501 if run.kind == "identity" else None)
        assert request.image == table.header.images[run.arm].image_id
        assert (request.cpuset, request.memory_bytes) == ("0-1", 6_000_000_000)
        assert request.timeout_s == 1800.0
        assert request.labels == {SESSION_LABEL: "session-1"}
    environments = [{k: v for k, v in r.env.items() if k != "KIT_SPEC"} for r in requests]
    threads = {"OMP_NUM_THREADS": "2", "TF_NUM_INTRAOP_THREADS": "2"}
    assert environments == [{"PYTHONHASHSEED": "0", **threads}] * 6


def test_a_done_run_is_not_made_again(tmp_path: Path) -> None:
    table = Table(tmp_path, works)
    table.go(frozenset({"i-python-cpu", "t0-dotnet-cpu"}))
    assert table.before == ["i-dotnet-cpu", "t0-python-cpu", "t1-dotnet-cpu", "t1-python-cpu"]


def no_record(request: RunRequest) -> RunOutcome:
    return SUCCESS


FAILURES: dict[str, tuple[RunScript, str]] = {
    "memory": (out_of_memory(), "out of memory at the limit of 6.0 GB"),
    "timeout": (times_out(), "not done within 1800 s"),
    "limit": (
        limited("CpuQuota", "none", "50000", works),
        "CpuQuota from none to 50000",
    ),
    "exit code": (fails(70), "the program ended with exit code 70"),
    "no record": (no_record, "the program wrote no record"),
    "not JSON": (
        lambda request: replace(SUCCESS, files={"record.json": b"{half"}),
        "the record is not JSON",
    ),
    "field": (works_but(lambda d: d["fits"][0].update(wall_ns=0)), "fits[0].wall_ns"),
    "other run": (works_but(lambda d: d.update(run_id="t9")), "the record's run_id is 't9'"),
    "other arm": (works_but(lambda d: d.update(arm=DOTNET)), "the record's arm is 'dotnet-cpu'"),
    "other spec": (works_but(lambda d: d.update(spec_sha256="0" * 64)), "the record's spec_sha256"),
    "other kind": (works_but(lambda d: d.update(kind="identity")), "the record's kind is"),
    "not started": (
        raises(RunError("a container of x could not be started: no such file", "see the engine")),
        "could not be started: no such file",
    ),
    "results": (
        lambda request: replace(works(request), files={}, broken="a run wrote more than 64 MiB"),
        "a run wrote more than 64 MiB",
    ),
    "fewer fits": (works_but(lambda d: d["fits"].pop()), "holds 2 fits, not 3"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failed_timed_run_is_logged_and_the_session_goes_on(tmp_path: Path, name: str) -> None:
    script, words = FAILURES[name]
    session = Table(tmp_path, by_run(t0_python_cpu=script)).go()
    failed = {entry.run_id: entry for entry in session.entries if entry.failure}
    assert list(failed) == ["t0-python-cpu"]
    assert words in failed["t0-python-cpu"].failure
    assert failed["t0-python-cpu"].record is None
    assert len(session.entries) == 6


def test_a_loss_that_is_no_number_is_a_result_or_a_named_failure(tmp_path: Path) -> None:
    """Training may diverge: json.dump then writes NaN, which strict JSON has not."""
    script = works_but(lambda d: d["fits"][0].update(losses=[float("nan")]))
    session = Table(tmp_path, by_run(t0_python_cpu=script)).go()
    assert len(session.entries) == 6


def test_the_end_of_the_output_is_kept_for_a_failed_run_only(tmp_path: Path) -> None:
    long = "x" * 2 * LOG_TAIL_CHARACTERS + "the end"

    def chatty(request: RunRequest) -> RunOutcome:
        return replace(works(request), logs=long)

    session = Table(tmp_path, by_run(t0_python_cpu=fails(1, long), t0_dotnet_cpu=chatty)).go()
    tails = {entry.run_id: entry.log_tail for entry in session.entries}
    assert tails["t0-python-cpu"] == long[-LOG_TAIL_CHARACTERS:]
    assert tails["t0-dotnet-cpu"] == ""


def test_a_failed_identity_run_stops_and_is_in_the_log(tmp_path: Path) -> None:
    table = Table(tmp_path, by_run(i_python_cpu=fails(70, "boom\n")))
    with pytest.raises(RunError, match=r"i-python-cpu.*exit code 70"):
        table.go()
    assert [e.run_id for e in read_session(tmp_path).entries] == ["i-python-cpu"]
    assert [e.log_tail for e in table.after] == ["boom\n"]


def test_two_failures_of_an_arm_in_a_row_stop(tmp_path: Path) -> None:
    table = Table(tmp_path, by_run(t0_python_cpu=fails(), t1_python_cpu=fails()), blocks=3)
    with pytest.raises(RunError, match="t1-python-cpu"):
        table.go()
    ran = [entry.run_id for entry in read_session(tmp_path).entries]
    assert ran[-1] == "t1-python-cpu"
    assert "t2-python-cpu" not in ran


def test_failures_of_two_arms_or_with_a_good_run_between_do_not_stop(tmp_path: Path) -> None:
    script = by_run(t0_python_cpu=fails(), t0_dotnet_cpu=fails(), t2_python_cpu=fails())
    session = Table(tmp_path, script, blocks=3).go()
    assert len(session.entries) == 8


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), HostError("the engine is gone", "start it")]
)
def test_an_error_of_the_engine_leaves_the_log_whole(tmp_path: Path, error: BaseException) -> None:
    table = Table(tmp_path, by_run(t0_dotnet_cpu=raises(error)))
    with pytest.raises(type(error)):
        table.go()
    found = read_session(tmp_path)
    assert [e.run_id for e in found.entries] == ["i-python-cpu", "i-dotnet-cpu", "t0-python-cpu"]
    assert not found.torn


def test_the_record_is_logged_as_the_program_wrote_it(tmp_path: Path) -> None:
    written: dict[str, object] = {}

    def keep(request: RunRequest) -> RunOutcome:
        outcome = works(request)
        document = json.loads(outcome.files["record.json"])
        written[document["run_id"]] = document
        return wrote(document)

    Table(tmp_path, keep).go()
    lines = (tmp_path / "runlog.jsonl").read_text().splitlines()[1:]
    assert {json.loads(line)["run_id"]: json.loads(line)["record"] for line in lines} == written


def test_a_container_that_cannot_be_started_ends_the_session_by_the_rules_of_failures(
    tmp_path: Path,
) -> None:
    refused = raises(RunError("a container of x could not be started: no room", "see the engine"))
    table = Table(tmp_path, by_run(t0_python_cpu=refused, t1_python_cpu=refused), blocks=3)
    with pytest.raises(RunError, match="t1-python-cpu"):
        table.go()
    entries = read_session(tmp_path).entries
    assert [e.run_id for e in entries if e.failure] == ["t0-python-cpu", "t1-python-cpu"]
    assert {e.exit_code for e in entries if e.failure} == {None}
    assert all(e.seconds is None for e in entries if e.failure)
    (tmp_path / "identity").mkdir()
    identity = Table(tmp_path / "identity", by_run(i_python_cpu=refused))
    with pytest.raises(RunError, match="i-python-cpu"):
        identity.go()
    assert [e.run_id for e in read_session(tmp_path / "identity").entries] == ["i-python-cpu"]


def test_the_exit_code_says_more_than_results_that_could_not_be_taken(tmp_path: Path) -> None:
    both = replace(SUCCESS, exit_code=70, broken="the results of a run could not be read")
    session = Table(tmp_path, by_run(t0_python_cpu=lambda request: both)).go()
    (failure,) = (e.failure for e in session.entries if e.failure)
    assert failure == "the program ended with exit code 70"


def test_the_other_of_a_pair_runs_on_where_one_cannot_be_started_and_both_are_made_again(
    tmp_path: Path,
) -> None:
    refused = raises(RunError("a container of x could not be started: no room", "see the engine"))
    table = Table(tmp_path, by_run(t0_python_cpu=refused), blocks=1)
    plan = table.header.plan
    runs = [replace(run, pair=0) if run.kind == "timed" else run for run in plan.runs]
    duet = replace(plan, runs=tuple(runs), design="duet")
    table.header = replace(table.header, plan=duet, plan_sha256=plan_sha256(duet))
    (tmp_path / RUN_LOG).unlink()
    table.log = RunLog.create(tmp_path, table.header)
    session = table.go()
    assert {e.run_id: e.failure is None for e in session.entries if e.kind == "timed"} == {
        "t0-python-cpu": False,
        "t0-dotnet-cpu": True,
    }
    assert session.completed_run_ids() == {"i-python-cpu", "i-dotnet-cpu"}
    assert table.engine.named("remove_by_label") == []
