"""Shards, gathering, the matrix, and the rules that make a command fail."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from support.bench import STUDY, Bench, reported, varied
from support.measured import works_but
from support.sessions import make_session, make_study, paired

import kit.cli
from kit.app import pipeline
from kit.cli.github import annotate, summarise, workflow_commands
from kit.errors import InputError
from kit.images.build.arms import BuildOptions
from kit.judge.comparison import judge
from kit.judge.rules import FailRule, failing_verdicts, parse_rules
from kit.measure.merge import executable_of, merge_shards
from kit.plan.make import plan_sha256
from kit.plan.model import FEWER_REPEATS, Note
from kit.plan.resources import ResourceRequest
from kit.plan.shard import Shard, github_matrix, parse_shard, runs_in_shard
from kit.records.session import Session
from kit.report.build import build_report
from kit.report.export import ci
from kit.results import RUN_LOG
from kit.results.opened import open_session
from kit.results.runlog import RunLog, read_session

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return [
        Bench(tmp_path_factory.mktemp(f"shard{n}"), varied()).reproduce(blocks=5, shard=Shard(n, 2))
        for n in (1, 2)
    ]


def test_every_block_is_in_one_shard_and_all_prove_their_work(shards: list[Path]) -> None:
    sessions = [read_session(folder) for folder in shards]
    plan = sessions[0].header.plan
    assert plan == sessions[1].header.plan
    blocks = [{e.block for e in s.entries if e.block >= 0} for s in sessions]
    assert blocks == [{0, 2, 4}, {1, 3}]
    assert all(len(s.identity()) == 2 for s in sessions)
    runs = [runs_in_shard(plan.runs, Shard(n, 2)) for n in (1, 2)]
    assert {r.run_id for part in runs for r in part} == {r.run_id for r in plan.runs}


def test_a_shard_reports_on_itself_alone(shards: list[Path]) -> None:
    model = reported(shards[1])
    assert model.judged.exclusions == ()
    assert len(model.variants[0].comparison.blocks) == 2
    assert "1/2: only its blocks are here" in (
        reported(shards[0]) and (shards[0] / "report.md").read_text()
    )


def test_gathered_shards_are_the_session_that_one_machine_would_make(
    shards: list[Path], tmp_path: Path
) -> None:
    assert kit.cli.run(["merge", *map(str, shards), "--out", str(tmp_path), "--quiet"]) == 0
    (folder,) = tmp_path.iterdir()
    whole = read_session(folder)
    planned = [run.run_id for run in whole.header.plan.runs]
    assert [e.run_id for e in whole.entries] == planned
    assert whole.header.shard is None and len(whole.header.shards) == 2
    assert "--shard" not in whole.header.command
    model = build_report(whole, STUDY)
    assert len(model.variants[0].comparison.blocks) == 5
    assert model.same_work_held
    records = {e.run_id: e.record for folder in shards for e in read_session(folder).entries}
    assert all(e.record == records[e.run_id] for e in whole.entries if e.kind == "timed")
    assert kit.cli.run(["verify", str(folder)]) == 0


def test_the_notes_of_every_shard_are_kept(shards: list[Path]) -> None:
    named = []
    for folder in shards:
        session = read_session(folder)
        plan = replace(session.header.plan, notes=(Note(FEWER_REPEATS, 5, 2, 1),))
        header = replace(session.header, plan=plan)
        named.append((folder, replace(session, header=header, torn=True)))
    header, _ = merge_shards(named)
    kept = [(made.shard, made.notes, made.torn) for made in header.shards]
    assert kept == [(Shard(n, 2), (Note(FEWER_REPEATS, 5, 2, 1),), True) for n in (1, 2)]
    assert header.plan_sha256 == plan_sha256(header.plan)


def test_what_cannot_be_gathered_is_refused_by_name(
    shards: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Bench(tmp_path / "other").reproduce(blocks=5, shard=Shard(2, 2), seed=8)
    small = ResourceRequest(memory_bytes=5_000_000_000)
    less = Bench(tmp_path / "less").reproduce(blocks=5, shard=Shard(2, 2), requested=small)
    whole = Bench(tmp_path / "whole").reproduce(blocks=5)
    third = Bench(tmp_path / "third").reproduce(blocks=5, shard=Shard(2, 3))
    for folders, said in (
        ([shards[0], shards[0]], "shard 1/2 is there already"),
        ([shards[0]], "shard 2/2 is missing"),
        ([shards[0], other], "its plan's seed is not that of"),
        ([shards[0], less], "its plan's number of fits a run is not that of"),
        ([whole], "a complete session, not a shard"),
        ([shards[0], third], "are mixed"),
        ([shards[0], tmp_path], "cannot be read"),
    ):
        code = kit.cli.run(["merge", *map(str, folders), "--out", str(tmp_path / "out")])
        err = capsys.readouterr().err
        assert (code, said in err) == (2, True), err


def test_a_shard_whose_arms_did_other_work_is_refused(
    shards: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = works_but(
        lambda d: d["arm"] == "dotnet-cpu" and d["identity"].update(model_config="0" * 64)
    )
    other = Bench(tmp_path / "other", bad).reproduce(blocks=5, shard=Shard(2, 2))
    code = kit.cli.run(["merge", str(shards[0]), str(other), "--out", str(tmp_path / "out")])
    assert code == 2
    assert f"{other}: its arms did not do the same work" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/2/3", "-1/2", "1/0"])
def test_what_is_no_shard_is_named(text: str) -> None:
    with pytest.raises(InputError, match="is not a shard"):
        parse_shard(text)


def test_shards_need_one_seed_and_a_fixed_number(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must make one plan"):
        Bench(tmp_path).reproduce(shard=Shard(1, 2), seed=None)
    request = pipeline.Request(
        "standard", (), 1, ResourceRequest(), tmp_path, BuildOptions(), shard=Shard(1, 2)
    )
    pipeline.check_request(STUDY, request)
    session = read_session(Bench(tmp_path).reproduce(budget="full", shard=Shard(1, 20), seed=1))
    plan = session.header.plan
    assert (plan.blocks, plan.stopping) == (STUDY.protocol.tiers["full"].blocks, None)


@pytest.mark.parametrize("shard", [Shard(1, 4), Shard(3, 4), Shard(2, 3)])
def test_more_shards_than_blocks_are_refused_before_anything_is_started(
    tmp_path: Path, shard: Shard
) -> None:
    request = pipeline.Request(
        "quick", (), 1, ResourceRequest(), tmp_path / "out", BuildOptions(), shard=shard, blocks=2
    )
    bench = Bench(tmp_path / "out")
    for refused in (
        lambda: pipeline.check_request(STUDY, request),
        lambda: bench.reproduce(seed=1, shard=shard, blocks=2),
    ):
        with pytest.raises(InputError) as caught:
            refused()
        assert str(shard) in caught.value.problem and "2 blocks" in caught.value.problem
    assert bench.engine.named("build") == [] and not (tmp_path / "out").exists()
    fits = replace(request, shard=Shard(2, 2))
    pipeline.check_request(STUDY, fits)


def test_a_budget_of_few_blocks_has_no_more_shards(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kit.cli.runtime.discover", lambda: pytest.fail("an engine was asked for"))
    command = ["reproduce", "--budget", "quick", "--shard", "4/4", "--seed", "1"]
    assert kit.cli.run([*command, "--out", str(tmp_path)]) == 2
    assert "4/4" in capsys.readouterr().err


def test_the_matrix_crosses_runners_variants_and_shards() -> None:
    runners = [("ubuntu-24.04",), ("arm",)]
    rows = json.loads(github_matrix(STUDY, runners, [("gpu-box",)], 2, 4))["include"]
    assert [row["name"] for row in rows] == [
        "ubuntu-24.04-cpu-1", "ubuntu-24.04-cpu-2", "arm-cpu-1", "arm-cpu-2",
        "gpu-box-cuda-1", "gpu-box-cuda-2",
    ]  # fmt: skip
    assert {row["gpu"] for row in rows if row["runner"] != "gpu-box"} == {""}
    assert rows[1]["shard"] == "2/2"
    with pytest.raises(InputError, match="nothing to do"):
        github_matrix(STUDY, (("a",),), (), 5, 4)
    with pytest.raises(InputError, match="a matrix without a job"):
        github_matrix(STUDY, (), (), 1, 4)
    with pytest.raises(InputError, match="no CUDA arm"):
        github_matrix(make_study(), (), (("gpu",),), 1, 4)


def test_a_label_can_be_part_of_a_path_and_none_is_there_twice() -> None:
    rows = json.loads(github_matrix(STUDY, (("self-hosted", "[x64]"), ("a/../b:c",)), (), 1, 4))[
        "include"
    ]
    assert [row["group"] for row in rows] == ["self-hosted-x64-cpu", "a-..-b-c-cpu"]
    assert [row["runner"] for row in rows] == [["self-hosted", "[x64]"], "a/../b:c"]
    for runners, said in (
        (("",), "a runner is called ''"),
        (("..",), "a runner is called '..'"),
        (("a", "a"), "two runners would both be called a-cpu"),
        (("a/b", "a:b"), "two runners would both be called a-b-cpu"),
    ):
        with pytest.raises(InputError, match=said):
            github_matrix(STUDY, [(runner,) for runner in runners], (), 1, 4)


@pytest.mark.parametrize(
    ("value", "runner"),
    [
        ("ubuntu-24.04", "ubuntu-24.04"),
        ("[self-hosted, linux]", ["self-hosted", "linux"]),
        ('["self-hosted", "2"]', ["self-hosted", "2"]),
        ("[gpu]", "gpu"),
    ],
)
@pytest.mark.parametrize("option", ["--runner", "--gpu-runner"])
def test_a_runner_is_a_label_or_a_list_of_labels(
    capsys: pytest.CaptureFixture[str], option: str, value: str, runner: object
) -> None:
    assert kit.cli.run(["matrix", option, value]) == 0
    (row,) = json.loads(capsys.readouterr().out)["include"]
    assert row["runner"] == runner


@pytest.mark.parametrize(
    "value",
    ["[self-hosted, linux", "[]", "[a, 2]", "[a, {b: c}]", '[""]', "self-hosted,linux", "[a],"],
)
def test_labels_that_no_runner_can_have_are_refused(
    capsys: pytest.CaptureFixture[str], value: str
) -> None:
    assert kit.cli.run(["matrix", "--runner", value]) == 2
    assert value in capsys.readouterr().err


def test_a_shard_says_nothing_to_the_workflow(
    shards: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    place = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(place))
    kit.cli.run(["report", str(shards[0]), "--quiet"])
    assert "title=C1" not in capsys.readouterr().err
    assert not place.exists()
    kit.cli.run(["merge", *map(str, shards), "--out", str(tmp_path / "out"), "--quiet"])
    assert "title=C1" in capsys.readouterr().err
    assert place.exists()


def test_rules_are_read_and_fire() -> None:
    rules = parse_rules("opposite, C1=REPRODUCED,C5!=REPRODUCED , NOT_TESTABLE_HERE")
    assert rules[0] == FailRule("", "OPPOSITE")
    assert rules[2] == FailRule("C5", "REPRODUCED", True)
    assert rules[3].word == "NOT TESTABLE HERE"
    holds = judge(make_session(paired([1.068, 1.07, 1.066])), make_study())
    assert failing_verdicts(parse_rules("OPPOSITE"), holds) == ()
    assert failing_verdicts(parse_rules("C1=REPRODUCED"), holds) == ("C1: REPRODUCED",)
    assert failing_verdicts(parse_rules("C1!=REPRODUCED"), holds) == ()
    assert parse_rules("") == ()
    with pytest.raises(InputError, match="no claim is called C9"):
        failing_verdicts(parse_rules("C9=OPPOSITE"), holds)
    for bad in ("maybe", "C1=MAYBE", "C1", "=OPPOSITE", "C1==OPPOSITE"):
        with pytest.raises(InputError, match="is not a rule"):
            parse_rules(bad)


def test_a_rule_that_fires_ends_with_7_after_everything_is_written(
    shards: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert kit.cli.run(["report", str(shards[0]), "--fail-on", "K1=INCONSISTENT"]) == 7
    captured = capsys.readouterr()
    assert "--fail-on: K1:" in captured.err and "Report:" in captured.out
    assert kit.cli.run(["report", str(shards[0]), "--fail-on", "K1=CONSISTENT"]) == 0
    assert kit.cli.run(["report", str(shards[0]), "--fail-on", "nonsense"]) == 2


def test_quiet_and_json_print_that_alone(
    shards: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert kit.cli.run(["report", str(shards[0]), "--quiet"]) == 0
    assert capsys.readouterr().out == f"{shards[0] / 'report.md'}\n"
    assert kit.cli.run(["report", str(shards[0]), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == 7


HOSTILE = "a\n::error::b %0A\r x\x1b[31m"


def test_annotations_are_escaped_and_summaries_are_appended(tmp_path: Path, capsys) -> None:
    study = make_study()
    claim = replace(study.claims[0], statement=HOSTILE)
    model = build_report(make_session(paired([0.8, 0.81, 0.79])), replace(study, claims=(claim,)))
    (line,) = workflow_commands(model)
    assert line.startswith("::error title=C1 OPPOSITE::")
    assert "\n" not in line and "\r" not in line and "\x1b" not in line and "%250A" in line
    annotate(model, {})
    assert capsys.readouterr().err == ""
    annotate(model, {"GITHUB_ACTIONS": "true"})
    resume, said, stop = capsys.readouterr().err.splitlines()
    assert said == line
    assert stop == f"::stop-commands::{resume.strip(':')}" and len(resume) > 36
    place = tmp_path / "summary.md"
    place.write_text("before\n")
    summarise(model, {"GITHUB_STEP_SUMMARY": str(place)})
    assert place.read_text().startswith("before\n# Does C# train")
    summarise(model, {})


def test_several_summaries_of_one_step_share_its_limit(tmp_path: Path) -> None:
    model = build_report(make_session(paired([0.8, 0.81, 0.79])), make_study())
    place = tmp_path / "summary.md"
    place.write_bytes(b"x" * (ci.LIMIT_BYTES - 3000))
    for _ in range(3):
        summarise(model, {"GITHUB_STEP_SUMMARY": str(place)})
        assert place.stat().st_size <= ci.LIMIT_BYTES
    assert b"# Does C# train" in place.read_bytes()


def test_a_summary_that_cannot_be_written_is_said_and_changes_no_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = build_report(make_session(paired([0.8, 0.81, 0.79])), make_study())
    summarise(model, {"GITHUB_STEP_SUMMARY": str(tmp_path / "no" / "summary.md")})
    assert "summary.md cannot be written (No such file" in capsys.readouterr().err
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    summarise(model, {"GITHUB_STEP_SUMMARY": str(tmp_path / "pipe")})
    os.close(reader)
    assert str(tmp_path / "pipe") in capsys.readouterr().err


def test_images_that_were_not_described_are_told_by_their_ids(shards: list[Path]) -> None:
    def undescribed(number: int, image_id: str) -> tuple[Path, Session]:
        session = read_session(shards[number])
        images = {
            arm: replace(image, content_sha256="", image_id=image_id)
            for arm, image in session.header.images.items()
        }
        return shards[number], replace(session, header=replace(session.header, images=images))

    _, entries = merge_shards([undescribed(0, "sha256:a"), undescribed(1, "sha256:a")])
    assert {entry.image_id for entry in entries} == {"sha256:a"}
    with pytest.raises(InputError, match=r"its content of the image of .* is not that of"):
        merge_shards([undescribed(0, "sha256:a"), undescribed(1, "sha256:b")])


def on_machine(number: int, shards: list[Path], cpus: int, named: bool = True) -> Path:
    """Rewrite a shard's log as if another machine had made it, with ticks stolen in each run."""
    session = read_session(shards[number])
    header = replace(session.header, host=replace(session.header.host, cpus=cpus))
    log = shards[number] / RUN_LOG
    log.unlink()
    written = RunLog.create(shards[number], header)
    host = replace(session.entries[0].host, steal_ticks=3)
    written.add_entries(
        replace(e, host=host, cpus=cpus if named else None, machine=f"m{number}")
        for e in session.entries
    )
    return shards[number]


@pytest.mark.parametrize("named", [True, False])
def test_gathered_runs_are_flagged_by_their_own_machines_cpus(
    shards: list[Path], tmp_path: Path, named: bool
) -> None:
    """3 ticks in 1 s: 3 % of one CPU's time, 0.05 % of 64 CPUs'."""
    copies = [Path(shutil.copytree(s, tmp_path / str(n))) for n, s in enumerate(shards)]
    folders = [on_machine(0, copies, 64, named), on_machine(1, copies, 1, named)]
    whole = pipeline.merge([open_session(folder) for folder in folders], tmp_path / "out")
    session = whole.session
    assert {e.cpus for e in session.entries if e.block in (0, 2, 4)} == {64}
    assert {e.cpus for e in session.entries if e.block in (1, 3)} == {1}
    flagged = {flag.run_id for flag in judge(session, whole.study).flags}
    assert flagged == {e.run_id for e in session.timed() if e.block in (1, 3)}


def test_a_shard_with_a_run_of_another_shard_is_refused_by_name(shards: list[Path]) -> None:
    first, second = (read_session(folder) for folder in shards)
    stray = replace(first, entries=(*first.entries, second.entries[-1]))
    with pytest.raises(InputError) as caught:
        merge_shards([(shards[0], stray), (shards[1], second)])
    assert str(shards[0]) in caught.value.problem
    assert second.entries[-1].run_id in caught.value.problem


def test_an_executable_that_did_otherwise_in_one_shard_is_refused_by_name(
    shards: list[Path],
) -> None:
    first, second = (read_session(folder) for folder in shards)
    assert first.executable is not None
    silent = replace(first, executable=None)
    named = [(shards[0], silent), (shards[1], second)]
    assert executable_of(named) == second.executable, "the one that tried it counts"
    failed = replace(first.executable, trained=False, missing="libpython3.8.so")
    with pytest.raises(InputError) as caught:
        executable_of([(shards[0], replace(first, executable=failed)), (shards[1], second)])
    assert str(shards[0]) in caught.value.problem and "libpython3.8.so" in caught.value.problem


def test_an_identity_run_that_trained_to_other_losses_is_noted(shards: list[Path]) -> None:
    first, second = (read_session(folder) for folder in shards)
    run = second.identity()["dotnet-cpu"]
    assert run.record is not None
    fits = tuple(replace(fit, losses=(9.0, *fit.losses[1:])) for fit in run.record.fits)
    other = replace(run, record=replace(run.record, fits=fits))
    entries = tuple(other if e == run else e for e in second.entries)
    header, _ = merge_shards([(shards[0], first), (shards[1], replace(second, entries=entries))])
    assert [dict(made.differing) for made in header.shards] == [{}, {"dotnet-cpu": ("losses",)}]
