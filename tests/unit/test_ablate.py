"""kit ablate, judge, new-study: through the command line and the pipeline, engine made up."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.engine import RunScript
from support.bench import STUDY, Bench, StopAt, failing, reported, varied
from support.measured import TwoCores, spec_of, works

import kit.cli
from kit.app import ablate, pipeline
from kit.errors import InputError
from kit.images.build.arms import BuildOptions
from kit.judge.consistency import consistency_results
from kit.plan.resources import ResourceRequest
from kit.plan.roles import role_of
from kit.report.ablation import TITLE
from kit.report.headline import status_lines
from kit.results import ABLATION, RUN_LOG
from kit.results.runlog import read_session
from kit.schemas import problems
from kit.study.folder import study_pins
from kit.study.load import load_study, write_new_study
from kit.verify import verify_folder

pytestmark = pytest.mark.slow


def test_an_explanation_is_made_beside_its_session_and_shown_in_its_report(tmp_path: Path) -> None:
    bench = Bench(tmp_path, varied())
    folder = bench.reproduce()
    plan = read_session(folder).header.plan
    beside = ablate.ablate(bench.runtime(), STUDY, BuildOptions(), folder / ABLATION, 2, 3)
    session = read_session(beside)
    assert session.header.plan.purpose == "explain"
    assert session.header.plan.limits == plan.limits
    found = ablate.explanation(beside, STUDY)
    assert found is not None and found.total.blocks == 2
    ablate.write(beside, found)
    assert (beside / "explanation.md").read_text().startswith(f"# {TITLE}\n")
    document = json.loads((beside / "explanation.json").read_text())
    assert {part["name"] for part in document["parts"]} >= {"binding", "memory kept", "terminal"}
    reported(folder)
    assert f"## {TITLE}\n" in (folder / "report.md").read_text()
    results = json.loads((folder / "results.json").read_text())
    assert problems("results", results) == []
    assert results["explanation"]["parts"] == document["parts"]
    before = reported(folder).verdicts
    assert before == pipeline.build_report(read_session(folder), STUDY).verdicts


def test_each_role_reaches_its_container(tmp_path: Path) -> None:
    bench = Bench(tmp_path, varied())
    ablate.ablate(bench.runtime(), STUDY, BuildOptions(), tmp_path / "x", 2, 3)
    by_role = {}
    for request in bench.engine.named("run"):
        spec = spec_of(request)
        role = spec["run_id"].rpartition("-")[2]
        by_role.setdefault(role if spec["kind"] == "timed" else "identity", []).append(request)
    assert {r.terminal for r in by_role["terminal"]} == {True}
    assert {r.terminal for r in by_role["cpu"]} == {False}
    assert all("MALLOC_MMAP_MAX_" in r.env for r in by_role["allocator"])
    assert all("MALLOC_MMAP_MAX_" not in r.env for r in by_role["cpu"])
    assert {spec_of(r)["conditions"]["progress"] for r in by_role["quiet"]} == {False}
    assert {spec_of(r)["conditions"]["keep"] for r in by_role["kept"]} == {True}
    assert {spec_of(r)["arm"] for r in by_role["kept"]} == {"python-cpu"}


def test_only_what_a_study_says_its_programs_can_is_changed(tmp_path: Path) -> None:
    able = replace(STUDY, protocol=replace(STUDY.protocol, explain=("allocator",)))
    bench = Bench(tmp_path, varied())
    beside = ablate.ablate(bench.runtime(), able, BuildOptions(), tmp_path / "x", 2, 3)
    timed = [spec_of(r) for r in bench.engine.named("run") if spec_of(r)["kind"] == "timed"]
    assert not any(spec["conditions"]["probe"] or spec["conditions"]["keep"] for spec in timed)
    found = ablate.explanation(beside, able)
    assert found is not None
    assert [part.name for part in found.contrasts] == [
        "whole", "user CPU", "system CPU", "allocator", "cold start",
    ]  # fmt: skip


def test_an_interrupted_explanation_goes_on(tmp_path: Path) -> None:
    place = tmp_path / "x"
    with pytest.raises(KeyboardInterrupt):
        ablate.ablate(Bench(tmp_path, StopAt(6)).runtime(), STUDY, BuildOptions(), place, 2, 3)
    done = len(read_session(place).entries)
    again = Bench(tmp_path)
    ablate.ablate(again.runtime(), STUDY, BuildOptions(), place, 2, 3)
    session = read_session(place)
    planned = [run.run_id for run in session.header.plan.runs]
    assert again.ran() == planned[done:]
    assert [e.run_id for e in session.entries] == planned


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused is refused before an engine is looked for."""
    monkeypatch.setattr("kit.cli.runtime.discover", lambda: pytest.fail("an engine was asked for"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    "option, wanted, planned", [("--blocks", "10", "2"), ("--repeats", "5", "3")]
)
@pytest.mark.parametrize("begun", [lambda: StopAt(6), lambda: works], ids=["stopped", "done"])
@pytest.mark.usefixtures("no_engine")
def test_another_plan_than_that_of_an_explanation_that_is_there_is_refused(
    tmp_path: Path, capsys, begun: Callable[[], RunScript], option: str, wanted: str, planned: str
) -> None:
    folder = Bench(tmp_path).reproduce()
    beside = folder / ABLATION
    with suppress(KeyboardInterrupt):
        ablate.ablate(Bench(tmp_path, begun()).runtime(), STUDY, BuildOptions(), beside, 2, 3)
    before = contents(folder)
    assert kit.cli.run(["ablate", str(folder), option, wanted]) == 2
    said = capsys.readouterr().err
    assert option in said and f"planned with {planned}" in said and str(beside) in said
    other = {"blocks": 10} if option == "--blocks" else {"repeats": 5}
    with pytest.raises(InputError):
        ablate.ablate(Bench(tmp_path).runtime(), STUDY, BuildOptions(), beside, **other)
    assert contents(folder) == before


def test_an_explanation_goes_on_without_options_or_with_its_own(tmp_path: Path) -> None:
    place = tmp_path / "x"
    with pytest.raises(KeyboardInterrupt):
        ablate.ablate(Bench(tmp_path, StopAt(6)).runtime(), STUDY, BuildOptions(), place, 2, 3)
    ablate.check_there(place, None, None)
    ablate.check_there(place, 2, 3)
    ablate.ablate(Bench(tmp_path).runtime(), STUDY, BuildOptions(), place)
    plan = read_session(place).header.plan
    assert (plan.blocks, plan.repeats) == (2, 3)
    assert not read_session(place).unfinished


@pytest.mark.usefixtures("no_engine")
def test_an_explanation_never_goes_on_with_a_session_that_compares(tmp_path: Path, capsys) -> None:
    """Named as --out, a stopped session would have been measured to its end."""
    with pytest.raises(KeyboardInterrupt):
        Bench(tmp_path, StopAt(6)).reproduce()
    (folder,) = tmp_path.iterdir()
    before = contents(folder)
    assert kit.cli.run(["ablate", "--out", str(folder)]) == 2
    assert "compares" in capsys.readouterr().err
    assert contents(folder) == before


@pytest.mark.usefixtures("no_engine")
def test_beside_a_session_out_says_nothing_and_is_refused(tmp_path: Path, capsys) -> None:
    folder = Bench(tmp_path).reproduce()
    assert kit.cli.run(["ablate", str(folder), "--out", str(tmp_path / "there")]) == 2
    assert "--out" in capsys.readouterr().err


def test_an_explanation_is_no_session_to_judge(tmp_path: Path, capsys) -> None:
    place = tmp_path / "x"
    ablate.ablate(Bench(tmp_path).runtime(), STUDY, BuildOptions(), place, 2, 3)
    before = sorted(path.name for path in place.iterdir())
    for command in (["judge"], ["report"], ["appendix"], ["reproduce", "--resume"], ["ablate"]):
        assert kit.cli.run([*command, str(place)]) == 2
        assert "explains another one and judges nothing" in capsys.readouterr().err
    assert sorted(path.name for path in place.iterdir()) == before


def test_an_explanation_with_a_failed_run_is_finished_and_checked(tmp_path: Path) -> None:
    folder = Bench(tmp_path).reproduce()
    beside = folder / ABLATION
    ablate.ablate(Bench(tmp_path, failing(9)).runtime(), STUDY, BuildOptions(), beside, 2, 3)
    found = ablate.explanation(beside, STUDY)
    assert found is not None
    ablate.write(beside, found)
    reported(folder)
    assert [f for f in verify_folder(folder) if f.wrong] == []


def test_what_is_resumed_of_an_explanation_is_its_runs_alone(tmp_path: Path) -> None:
    place = tmp_path / "x"
    with pytest.raises(KeyboardInterrupt):
        ablate.ablate(Bench(tmp_path, StopAt(6)).runtime(), STUDY, BuildOptions(), place, 2, 3)
    ablate.ablate(Bench(tmp_path).runtime(), STUDY, BuildOptions(), place, 2, 3)
    assert read_session(place).executable is None


def test_a_comparing_session_is_no_explanation(tmp_path: Path) -> None:
    folder = Bench(tmp_path).reproduce()
    with pytest.raises(InputError, match="compares"):
        ablate.explanation(folder, STUDY)


def test_a_pilot_fixes_the_plan_and_says_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path, varied(0.01), TwoCores())
    folder = bench.reproduce(budget="standard", design="auto")
    session = read_session(folder)
    plan = session.header.plan
    assert plan.pilot == 5
    assert plan.blocks == 25
    assert session.outlook is not None and plan.design == session.outlook["design"]
    assert session.looks[-1].ending is not None
    assert [e.run_id for e in session.entries] == [run.run_id for run in session.due_runs()]
    assert any(line.startswith("Fixed now:") for line in bench.progress.lines)
    piloted = sum(entry.block < plan.first_judged for entry in session.entries)
    assert bench.progress.fewest[0] == piloted, "the pilot may be followed by nothing yet known"
    model = reported(folder)
    assert all(len(part.comparison.blocks) == session.looks[-1].blocks for part in model.variants)
    text = (folder / "report.md").read_text()
    assert "Pilot of 5 alternating blocks" in text
    results = json.loads((folder / "results.json").read_text())
    assert results["outlook"]["blocks"] == plan.blocks
    assert {c["role"]: c["held"] for c in results["variants"][0]["controls"]} == {
        "placebo": True,
        "slowed": True,
    }


@pytest.mark.parametrize("at", [4, 12, 13, 20])
def test_a_piloted_session_resumes_anywhere(tmp_path: Path, at: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        Bench(tmp_path, StopAt(at), TwoCores()).reproduce(budget="standard", design="auto")
    (folder,) = tmp_path.iterdir()
    stopped = read_session(folder)
    Bench(tmp_path).resume(folder)
    whole = read_session(folder)
    assert whole.outlook is not None
    assert stopped.outlook is None or stopped.outlook == whole.outlook
    planned = [run.run_id for run in whole.due_runs()]
    assert sorted(e.run_id for e in whole.entries) == sorted(planned)
    lines = (folder / RUN_LOG).read_text().splitlines()
    assert len(lines) == len(planned) + 3 + len(whole.looks)


def test_duet_pairs_run_together_and_are_judged(tmp_path: Path) -> None:
    bench = Bench(tmp_path, varied(0.02))
    runtime = replace(bench.runtime(), host=TwoCores())
    request = pipeline.Request(
        "quick", (), 7, ResourceRequest(), tmp_path, BuildOptions(), design="duet"
    )
    folder = pipeline.reproduce(runtime, STUDY, request)
    session = read_session(folder)
    assert session.header.plan.design == "duet"
    for entry in session.timed():
        assert entry.pair is not None
    cpusets = {r.cpuset for r in bench.engine.named("run") if spec_of(r)["kind"] == "timed"}
    assert len(cpusets) == 2
    model = reported(folder)
    assert len(model.variants[0].comparison.blocks) == 3
    assert status_lines(model)[-1] in (folder / "report.md").read_text()
    assert len(status_lines(model)) == 3


def test_a_busy_machine_is_refused_unless_asked(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    class Busy(TwoCores):
        def read(self):
            return replace(TwoCores().read(), busy_cpus=float(bench.engine.engine_info.cpus))

    runtime = replace(bench.runtime(), host=Busy())
    request = pipeline.Request("quick", (), 7, ResourceRequest(), tmp_path, BuildOptions())
    with pytest.raises(kit.errors.HostError, match="the machine is busy") as caught:
        pipeline.reproduce(runtime, STUDY, request)
    assert "--allow-busy-host" in caught.value.remedy
    runtime = replace(runtime, allow_busy_host=True)
    folder = pipeline.reproduce(runtime, STUDY, request)
    model = reported(folder)
    assert len(model.judged.flags) == len(model.raw)
    assert "timed runs were disturbed" in (folder / "report.md").read_text()


def test_kit_judge_prints_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Bench(tmp_path).reproduce()
    before = sorted(p.name for p in folder.iterdir())
    assert kit.cli.run(["judge", str(folder)]) == 0
    assert "C1 mean" in capsys.readouterr().out
    assert kit.cli.run(["judge", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == 7
    assert sorted(p.name for p in folder.iterdir()) == before


def test_a_changed_copy_of_the_study_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Bench(tmp_path).reproduce()
    claims = folder / "study" / "claims.yaml"
    claims.write_text(claims.read_text().replace("6.5", "7.5"))
    assert kit.cli.run(["judge", str(folder)]) == 2
    assert "study was changed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "study"),
    [
        *((name, name) for name in ("2024", "no", "null", "on", "0x1f", "1e3", "2024-05-01", "y")),
        ("1_000", "1-000"),
        ("~", "my-study"),
        ("a" * 240, "a" * 100),
        ("a" * 99 + "-" + "b" * 100, "a" * 99),
        ("Große Studie 50%", "gro-e-studie-50"),
    ],
)
def test_a_new_study_loads_and_its_command_runs_whatever_its_folder_is_called(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, study: str
) -> None:
    folder = tmp_path / name
    assert kit.cli.run(["new-study", str(folder)]) == 0
    assert load_study(folder).id == study
    said = capsys.readouterr().out.splitlines()[-1]
    assert shlex.split(said)[-2:] == ["--study", str(folder)]


def test_a_new_study_is_whole_and_named_after_its_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "My Study_1"
    assert kit.cli.run(["new-study", str(folder)]) == 0
    assert "kit reproduce --study" in capsys.readouterr().out
    study = load_study(folder)
    assert study.id == "my-study-1"
    assert (study.baseline, study.contender) == ("loop", "builtin")
    assert study.arms["loop-cpu"].recipe == (folder / "arms" / "loop").resolve()
    assert kit.cli.run(["new-study", str(folder)]) == 2
    assert "not empty" in capsys.readouterr().err
    assert write_new_study(tmp_path / "other")
    assert load_study(tmp_path / "other").sha256 != study.sha256


STEPS = (
    'rule: same_value\n    facts: {stated: {abstract: 20, "section 4": 20}}',
    "rule: step_order\n    facts: {ms_per_step: {python: [1, 2], builtin: [1, 2]}}",
)
FIGURES = """
  figures:
    loop: {where: "table 1", min: 1.0, max: 1.2, mean: 1.1, total: 22.0}
    builtin: {where: "table 1", min: 0.9, max: 1.1, mean: 1.0, total: 20.0}
"""


def test_every_consistency_rule_takes_a_study_s_own_stacks(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    write_new_study(folder)
    study, claims = folder / "study.yaml", folder / "claims.yaml"
    study.write_text(study.read_text().replace("\nworkload:", f"{FIGURES}\nworkload:"))
    text = claims.read_text()
    facts = 'rule: rounds\n    facts: {statistic: min, text: {loop: "1.0"}, text_gain_percent: 10}'
    for new in (STEPS[1].replace("python", "loop"), facts):
        claims.write_text(text.replace(STEPS[0], new))
        (found,) = consistency_results(load_study(folder))
        assert found.word == "CONSISTENT", found


def test_results_below_the_study_s_own_folder_are_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_new_study(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert kit.cli.run(["reproduce", "--study", "."]) == 2
    assert "--out: results is in the study's own folder" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    "name, old, new, said",
    [
        ("study.yaml", "recipe: arms/loop", "recipe: arms/none", "arms.loop-cpu.recipe"),
        ("study.yaml", "recipe: arms/loop", "recipe: ../..", "arms.loop-cpu.recipe"),
        ("study.yaml", "contender: builtin", "contender: loop", "both are 'loop'"),
        ("study.yaml", "claimed: [python]", "claimed: [ruby]", "paper.claimed: 'ruby'"),
        ("study.yaml", "numbers: 200000", "numbers: many", "workload.numbers"),
        ("pins.yaml", "{kit: python}", "{image: debian}", "bases.BASE"),
        ("study.yaml", "pilot: 5", "pilot: 50", "a pilot of 50 blocks"),
        ("claims.yaml", "abstract: 20", "abstract: [20]", "facts.stated.abstract: [20] is not of"),
        ("claims.yaml", "rule: same_value", "rule: mean_times_repeats", "facts: Additional"),
        ("claims.yaml", *STEPS, "its stacks are builtin, python"),
        ("claims.yaml", STEPS[0], STEPS[1].replace("python", "loop"), "works on paper.figures"),
    ],
)
def test_a_broken_study_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, old: str, new: str, said: str
) -> None:
    folder = tmp_path / "study"
    write_new_study(folder)
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))
    with pytest.raises(InputError) as caught:
        load_study(folder)
        study_pins(folder)
    assert said in caught.value.problem


def test_every_role_has_its_meaning() -> None:
    assert role_of("placebo-reference").name == "main"
