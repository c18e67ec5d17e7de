"""Whole sessions with made-up GPUs: from --gpu to report, exit code and resuming."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from fakes.engine import INFO, SUCCESS, FakeEngine, RunScript, image, raises
from fakes.gpu import H100, NO_DRIVER, OLD_DRIVER, T4, FakeProbe
from support.bench import reported
from support.measured import FakeHost, FakeProgress, document_for, spec_of, works, wrote
from support.sessions import printed, report_md

import kit.cli
from kit.app import pipeline
from kit.engine.protocol import RunOutcome, RunRequest
from kit.errors import HostError, InputError, NotStartedError, RunError
from kit.host.network import HostNetwork
from kit.images.build.arms import BuildOptions
from kit.images.inspect.describe import Description
from kit.judge.words import NOT_TESTABLE
from kit.pins.load import shipped_pins
from kit.plan.resources import ResourceRequest
from kit.report.build import build_report
from kit.results.opened import open_session
from kit.results.runlog import read_session
from kit.schemas import problems
from kit.study.load import shipped_study

pytestmark = pytest.mark.slow

STUDY, PINS = shipped_study(), shipped_pins()
ALL = ("python-cpu", "dotnet-cpu", "python-cuda", "dotnet-cuda")
CPU, CUDA = ALL[:2], ALL[2:]
REFUSAL = 'could not select device driver "" with capabilities: [[gpu]]'
REFUSED = NotStartedError("x", REFUSAL)


def is_trial(request: RunRequest) -> bool:
    return "KIT_SPEC" not in request.env


def on_a_gpu_host(request: RunRequest) -> RunOutcome:
    """Every run works; one that asks for a GPU does its work there, four times as fast."""
    if is_trial(request):
        return SUCCESS
    document = document_for(request)
    if request.gpu is not None:
        for fit in document["fits"]:
            fit["wall_ns"] //= 4
    return wrote(document)


def without_toolkit(request: RunRequest) -> RunOutcome:
    return raises(REFUSED)(request) if request.gpu is not None else works(request)


@dataclass
class Table:
    """A runtime with all base images, a script, and a probe."""

    out: Path
    probe: FakeProbe
    script: RunScript = on_a_gpu_host
    engine: FakeEngine = field(init=False)
    progress: FakeProgress = field(default_factory=FakeProgress)

    def __post_init__(self) -> None:
        pinned = [c.pinned for candidates in PINS.roles.values() for c in candidates]
        self.engine = FakeEngine(on_run=self.script, images={p: image(p) for p in pinned})

    def runtime(self) -> pipeline.Runtime:
        moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
        return pipeline.Runtime(
            self.engine, FakeHost(), HostNetwork({}, b"", "", ""), lambda: moment, self.progress,
            lambda image_id: Description(image_id.removeprefix("sha256:"), ()),
            probe=self.probe,
        )  # fmt: skip

    def go(self, **changes: Any) -> Path:
        request = pipeline.Request(
            "quick", (), 7, ResourceRequest(), self.out, BuildOptions(), gpu=True
        )
        return pipeline.reproduce(self.runtime(), STUDY, replace(request, **changes))

    def resume(self, folder: Path) -> Path:
        return pipeline.resume(self.runtime(), open_session(folder), BuildOptions()).folder

    def runs(self) -> list[RunRequest]:
        return [request for request in self.engine.named("run") if not is_trial(request)]

    def built(self) -> list[str]:
        return [request.tag for request in self.engine.named("build")]


def text_of(folder: Path) -> str:
    return (folder / "report.md").read_text()


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Table, Path]:
    """A table at which one session with a GPU was measured, and its folder."""
    table = Table(tmp_path_factory.mktemp("measured"), FakeProbe((T4,)))
    return table, table.go()


def test_four_arms_in_one_randomised_plan(measured: tuple[Table, Path]) -> None:
    session = read_session(measured[1])
    plan = session.header.plan
    assert plan.arms == ALL
    for block in range(plan.blocks):
        runs = [run for run in plan.runs if run.block == block]
        assert sorted(run.arm for run in runs if run.role == "main") == sorted(ALL)
        placebos = [run.arm for run in runs if run.role == "placebo"]
        assert sorted(placebos) == ["python-cpu", "python-cuda"]
    assert [entry.failure for entry in session.entries] == [None] * len(plan.runs)
    assert session.header.command == "kit reproduce --budget quick --seed 7 --gpu"
    assert session.header.gpu.chosen == T4.uuid


def test_cuda_runs_get_the_gpu_and_are_watched_and_others_are_not(
    measured: tuple[Table, Path],
) -> None:
    table, folder = measured
    session = read_session(folder)
    for request in table.runs():
        cuda = spec_of(request)["variant"] == "cuda"
        assert request.gpu == (T4.uuid if cuda else None)
        assert dict(request.volumes) == ({"kit-cuda-cache": "/cuda-cache"} if cuda else {})
        assert ("CUDA_CACHE_PATH" in request.env) is cuda
    for entry in session.entries:
        assert (entry.gpu is not None) is (entry.arm in CUDA)
    samples = [entry.gpu for entry in session.entries if entry.gpu is not None]
    assert {(s.uuid, s.name, s.driver) for s in samples} == {(T4.uuid, T4.name, T4.driver)}
    assert all(s.readings >= 2 and s.failures == () for s in samples)
    assert table.probe.open_now == 0


def test_the_report_compares_devices_and_stacks_and_shows_the_proof(
    measured: tuple[Table, Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(measured[1], tmp_path / "folder")
    model = reported(folder, STUDY)
    pipeline.check_outcome(model, folder)
    assert [part.variant for part in model.variants] == ["cpu", "cuda"]
    assert all(len(part.comparison.blocks) == 3 for part in model.variants)
    assert [r.estimate.ratio for r in model.gpu.ratios] == pytest.approx([4.0, 4.0])
    text = text_of(folder)
    assert "CPU/GPU" in text
    assert "Tesla T4, driver 535.161.08" in text
    assert "| python-cuda | Example GPU |          150 |           14 |" in text
    assert "11 CUDA runs" in text
    assert "and Tesla T4" in next(r.got for r in model.header.fidelity if r.name == "hardware")
    results = json.loads((folder / "results.json").read_text())
    assert problems("results", results) == []
    assert results["gpu"]["check"]["chosen"] == T4.uuid


def test_a_gpu_without_kernels_is_warned_of_and_given_time(tmp_path: Path) -> None:
    table = Table(tmp_path, FakeProbe((H100,)))
    folder = table.go()
    model = build_report(read_session(folder), STUDY)
    pipeline.check_outcome(model, folder)
    assert any("can take 30 minutes or longer" in line for line in table.progress.lines)
    assert "can take 30 minutes or longer" in report_md(model)
    limits = {(spec_of(r)["variant"], spec_of(r)["kind"]): r.timeout_s for r in table.runs()}
    assert limits == {
        ("cpu", "identity"): 1800.0, ("cpu", "timed"): 1800.0,
        ("cuda", "identity"): 5400.0, ("cuda", "timed"): 1800.0,
    }  # fmt: skip


CANNOT: dict[str, tuple[FakeProbe, RunScript, list[str]]] = {
    "old driver": (FakeProbe((OLD_DRIVER,)), on_a_gpu_host, ["440.33.01 is too old"]),
    "no driver, no toolkit": (
        FakeProbe(missing=NO_DRIVER), without_toolkit, ["no NVIDIA driver is here", REFUSAL],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CANNOT)
def test_what_cannot_be_tested_is_named_and_the_rest_is_done(tmp_path: Path, name: str) -> None:
    probe, script, missing = CANNOT[name]
    table = Table(tmp_path, probe, script)
    folder = table.go()
    model = reported(folder, STUDY)
    assert model.header.plan.arms == CPU
    assert {spec_of(request)["arm"] for request in table.runs()} == set(CPU)
    assert not [tag for tag in table.built() if "cuda" in tag]
    cuda = [verdict for verdict in model.verdicts if verdict.variant == "cuda"]
    assert [verdict.word for verdict in cuda] == [NOT_TESTABLE] * len(STUDY.claims)
    cpu = [verdict for verdict in model.verdicts if verdict.variant == "cpu"]
    assert NOT_TESTABLE not in {verdict.word for verdict in cpu}
    for words in missing:
        assert all(words in model.reason_of(verdict) for verdict in cuda)
        assert any(words in line for line in table.progress.lines)
    assert "are not testable here.** Missing:" in text_of(folder)
    assert problems("results", json.loads((folder / "results.json").read_text())) == []
    with pytest.raises(HostError, match="--gpu: the CUDA arms could not be tested here") as caught:
        pipeline.check_outcome(model, folder)
    assert all(words in caught.value.problem for words in missing)
    assert "--gpu" in model.header.command


def test_an_engine_that_ignores_gpu_requests_is_not_even_tried(tmp_path: Path) -> None:
    table = Table(tmp_path, FakeProbe((T4,)))
    table.engine.engine_info = replace(INFO, name="Podman", version="4.3.1", gpu_drivers=())
    session = read_session(table.go())
    assert [r for r in table.engine.named("run") if r.gpu is not None] == []
    (problem,) = session.header.gpu.problems
    assert "Podman 4.3.1 ignores a GPU request" in problem.what


def test_cuda_arms_alone_without_a_gpu_are_refused_before_any_work(tmp_path: Path) -> None:
    table = Table(tmp_path / "out", FakeProbe(missing=NO_DRIVER), without_toolkit)
    with pytest.raises(HostError, match="no NVIDIA driver is here"):
        table.go(arms=CUDA)
    assert (table.built(), table.engine.named("run"), table.out.exists()) == ([], [], False)


def test_cuda_arms_alone_that_the_engine_refuses_make_no_session(tmp_path: Path) -> None:
    table = Table(tmp_path / "out", FakeProbe((T4,)), without_toolkit)
    with pytest.raises(HostError, match="could not be tested here: the engine gives no"):
        table.go(arms=CUDA)
    assert not table.out.exists()
    assert not [tag for tag in table.built() if "cuda" in tag]


def test_some_arms_of_either_kind(tmp_path: Path) -> None:
    session = read_session(Table(tmp_path, FakeProbe((T4,))).go(arms=("dotnet-cuda", "python-cpu")))
    assert session.header.plan.arms == ("dotnet-cuda", "python-cpu")
    left = Table(tmp_path / "b", FakeProbe()).go(arms=("python-cpu", "python-cuda"))
    assert read_session(left).header.gpu.untestable == ()


def test_the_wished_gpu_is_used_for_every_run(tmp_path: Path) -> None:
    other = replace(T4, index=1, uuid="GPU-other", memory_free_bytes=3_000_000_000)
    table = Table(tmp_path, FakeProbe((T4, other)))
    session = read_session(table.go(gpu_device="1"))
    assert {request.gpu for request in table.runs()} == {None, "GPU-other"}
    assert session.header.command.endswith("--gpu --gpu-device 1")
    assert session.header.gpu.gpus == (T4, other)


def test_a_gpu_that_is_not_here_is_bad_input_before_any_work(tmp_path: Path) -> None:
    table = Table(tmp_path / "out", FakeProbe((T4,)))
    with pytest.raises(InputError, match="--gpu-device: no GPU here is '7'"):
        table.go(gpu_device="7")
    assert (table.built(), table.out.exists()) == ([], False)


def test_runs_under_throttling_are_flagged_and_kept(tmp_path: Path) -> None:
    hot = replace(T4, temperature_c=91, throttle=("hardware thermal slowdown",))
    capped = replace(T4, throttle=("software power cap",))
    table = Table(tmp_path, FakeProbe((T4,), readings=[T4, hot, capped]))
    folder = table.go()
    model = build_report(read_session(folder), STUDY)
    pipeline.check_outcome(model, folder)
    assert len(model.gpu.throttled) == 11
    assert all(len(part.comparison.blocks) == 3 for part in model.variants)
    text = report_md(model)
    said = model.gpu.flag_line
    assert "11 of 11" in said
    assert said in text.partition("## Claims")[0]
    assert said in printed(model)
    assert text.count("**throttled**") == 11
    mild = Table(tmp_path / "mild", FakeProbe((T4,), readings=[capped])).go()
    shown = build_report(read_session(mild), STUDY)
    assert shown.gpu.throttled == ()
    assert {run.limited for run in shown.gpu.runs} == {("software power cap",)}


def lying(change: Callable[[dict[str, Any]], None], arm: str, kind: str) -> RunScript:
    """One arm's runs of a kind tell of another device than they should."""

    def script(request: RunRequest) -> RunOutcome:
        outcome = on_a_gpu_host(request)
        spec = {} if is_trial(request) else spec_of(request)
        if (spec.get("arm"), spec.get("kind")) != (arm, kind):
            return outcome
        document = document_for(request)
        change(document["device"])
        return wrote(document)

    return script


def fell_back(device: dict[str, Any]) -> None:
    device.update(kind="cpu", name="", ops={"CPU": 164} if device["ops"] else {}, peak_bytes=None)


def test_a_silent_fallback_to_the_cpu_stops_the_session(tmp_path: Path) -> None:
    script = lying(fell_back, "dotnet-cuda", "identity")
    with pytest.raises(RunError, match="did its work on the CPU, not on the GPU"):
        Table(tmp_path, FakeProbe((T4,)), script).go()


def test_a_timed_run_that_fell_back_is_a_failed_run(tmp_path: Path) -> None:
    script = lying(fell_back, "python-cuda", "timed")
    with pytest.raises(RunError, match="did its work on the CPU"):
        Table(tmp_path, FakeProbe((T4,)), script).go()
    (folder,) = tmp_path.iterdir()
    failed = [entry for entry in read_session(folder).entries if entry.failure]
    assert {entry.arm for entry in failed} == {"python-cuda"}
    assert all(entry.gpu is not None for entry in failed)


def test_a_cpu_arm_on_the_gpu_is_an_error_likewise(tmp_path: Path) -> None:
    script = lying(lambda device: device.update(kind="gpu"), "python-cpu", "identity")
    with pytest.raises(RunError, match="a CPU arm did its work on a GPU"):
        Table(tmp_path, FakeProbe((T4,)), script).go()


@pytest.fixture(scope="module")
def stopped_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("stopped")
    count = iter(range(100))

    def script(request: RunRequest) -> RunOutcome:
        if next(count) == 6:
            raise KeyboardInterrupt
        return on_a_gpu_host(request)

    with pytest.raises(KeyboardInterrupt):
        Table(out, FakeProbe((T4,)), script).go()
    (folder,) = out.iterdir()
    return folder


@pytest.fixture
def stopped(stopped_once: Path, tmp_path: Path) -> Path:
    """The folder of a session that was stopped in its seventh run."""
    return shutil.copytree(stopped_once, tmp_path / stopped_once.name)


def test_a_session_goes_on_with_its_arms_on_its_gpu(stopped: Path, tmp_path: Path) -> None:
    folder = stopped
    before = read_session(folder)
    again = Table(tmp_path, FakeProbe((replace(T4, index=1), H100)))
    again.resume(folder)
    after = read_session(folder)
    assert after.header == before.header
    assert len(after.entries) == len(after.header.plan.runs)
    assert {request.gpu for request in again.runs()} == {None, T4.uuid}


OTHERS: dict[str, tuple[FakeProbe, str]] = {
    "another": (FakeProbe((H100,)), "GPU-aaaa was; now: NVIDIA H100 80GB HBM3, GPU-bbbb"),
    "gone": (FakeProbe(missing=NO_DRIVER), "now: no NVIDIA driver is here"),
    "driver": (FakeProbe((replace(T4, driver="550.1"),)), "535.161.08 was, 550.1 is"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_resuming_on_another_gpu_or_driver_is_refused(
    stopped: Path, tmp_path: Path, name: str
) -> None:
    probe, words = OTHERS[name]
    again = Table(tmp_path, probe)
    with pytest.raises(InputError, match="the GPU") as caught:
        again.resume(stopped)
    assert words in caught.value.problem
    assert (again.runs(), again.built()) == ([], [])


def test_a_session_whose_gpu_was_missing_goes_on_without_one(tmp_path: Path) -> None:
    folder = Table(tmp_path, FakeProbe(missing=NO_DRIVER), without_toolkit).go()
    again = Table(tmp_path, FakeProbe((T4,)))
    again.resume(folder)
    assert again.runs() == []


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    """The command line's runtime, made up: a host without a GPU or toolkit."""
    table = Table(tmp_path, FakeProbe(missing=NO_DRIVER), without_toolkit)
    monkeypatch.setattr("kit.cli.runtime.open_runtime", lambda _given: nullcontext(table.runtime()))
    monkeypatch.setattr("kit.cli.stop_within", lambda _seconds: None)
    monkeypatch.chdir(tmp_path)
    return table


def test_the_command_prints_the_report_then_ends_with_3(
    runtime: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kit.cli.run(["reproduce", "--gpu", "--seed", "1"]) == 3
    out, err = capsys.readouterr()
    assert "Report: results" in out
    assert out.count("NOT TESTABLE HERE") == 5
    assert err.startswith("kit: --gpu: the CUDA arms could not be tested here: no NVIDIA driver")
    assert REFUSAL in err
    (folder,) = (runtime.out / "results").iterdir()
    assert "C1 cuda" in text_of(folder)
    assert kit.cli.run(["report", str(folder)]) == 3


def test_without_gpu_nothing_of_it_is_asked_or_said(runtime: Table) -> None:
    assert kit.cli.run(["reproduce", "--seed", "1"]) == 0
    (folder,) = (runtime.out / "results").iterdir()
    session = read_session(folder)
    assert session.header.gpu is None
    assert session.header.plan.arms == CPU
    assert {request.gpu for request in runtime.engine.named("run")} == {None}
    assert "\n## GPU\n" not in text_of(folder)


BAD = {
    "cuda arm without gpu": (["--arms", "python-cuda"], "python-cuda needs a GPU", "add --gpu"),
    "gpu without cuda arm": (["--gpu", "--arms", "python-cpu"], "no CUDA arm", "python-cuda"),
    "device without gpu": (["--gpu-device", "0"], "--gpu-device", "add --gpu"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_before_anything(
    runtime: Table, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    arguments, problem, remedy = BAD[name]
    assert kit.cli.run(["reproduce", *arguments]) == 2
    err = capsys.readouterr().err
    assert problem in err
    assert remedy in err
    assert runtime.engine.calls == []


def test_the_exit_code_is_documented(capsys: pytest.CaptureFixture[str]) -> None:
    assert kit.cli.run(["reproduce", "--help"]) == 0
    assert "exit code 3" in " ".join(capsys.readouterr().out.split())
    assert kit.cli.run(["--help"]) == 0
    assert "--gpu asked for could not be tested" in " ".join(capsys.readouterr().out.split())
