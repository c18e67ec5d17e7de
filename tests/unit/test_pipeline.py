"""The whole way on a scripted engine: from a request to reports, and on after a stop."""

from __future__ import annotations

import json
import math
import shlex
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.engine import image
from support.bench import STUDY, Bench, StopAt, failing, reported, stopped
from support.measured import spec_of, works_but
from support.sessions import DOTNET, PYTHON

import kit
from kit.app import pipeline
from kit.app.runner import RUN_ID
from kit.engine.protocol import SESSION_LABEL
from kit.errors import HostError, InputError, RunError, SameWorkError
from kit.images.build.arms import BuildOptions
from kit.images.stored import check_disk
from kit.plan.model import Stopping
from kit.plan.resources import ResourceRequest
from kit.plan.shard import Shard
from kit.records.session import Look
from kit.report.model import Course
from kit.results import RUN_LOG
from kit.results.runlog import read_session
from kit.schemas import problems
from kit.study.model import Arm

ARMS = (PYTHON, DOTNET)
RUNS = 2 + 3 * 3


def test_from_a_request_to_every_report(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    folder = bench.reproduce()
    model = reported(folder)
    names = [
        ".gitattributes",
        "SHA256SUMS",
        "formats",
        "plots",
        "report.html",
        "report.md",
        "results.json",
        "ro-crate-metadata.json",
        RUN_LOG,
        "sbom",
        "study",
    ]
    assert sorted(p.name for p in folder.iterdir()) == names
    assert (folder / "formats" / "claims.junit.xml").is_file()
    text = (folder / "report.md").read_text()
    assert "(plots/gains.svg)" in text
    for arm, made in read_session(folder).header.images.items():
        assert made.content_sha256 == made.image_id.removeprefix("sha256:")
        assert made.content_sha256 in text
        sbom = json.loads((folder / "sbom" / f"{arm}.cdx.json").read_text())
        assert sbom["components"][0]["name"] == "libc6"
        assert f"(sbom/{arm}.cdx.json)" in text
    assert (folder / "plots" / "gains.svg").is_file()
    assert folder.parent == tmp_path
    results = json.loads((folder / "results.json").read_text())
    assert problems("results", results) == []
    assert len(results["runs"]) == RUNS - 2
    assert results["same_work_held"] is True
    assert model.same_work_held
    pipeline.check_outcome(model, folder)
    assert model.headline == results["headline"]
    assert bench.progress.advanced == RUNS
    assert f"runs {RUNS}" in bench.progress.lines
    assert bench.progress.fewest == [RUNS] and bench.progress.limit_s == math.inf
    assert {r.labels[SESSION_LABEL] for r in bench.engine.named("run")} == {folder.name}


@pytest.mark.slow
def test_the_reports_follow_from_the_log_alone(tmp_path: Path) -> None:
    folder = Bench(tmp_path / "a").reproduce()
    reported(folder)
    elsewhere = tmp_path / "b"
    elsewhere.mkdir()
    (elsewhere / RUN_LOG).write_bytes((folder / RUN_LOG).read_bytes())
    reported(elsewhere)
    for name in ("report.md", "results.json", "formats/fits.csv", "plots/gains.png"):
        assert (elsewhere / name).read_bytes() == (folder / name).read_bytes()


def test_the_header_s_command_names_every_mirror(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    folder = bench.reproduce(options=BuildOptions(mirrors=("m.example/hub", "localhost:5000")))
    words = read_session(folder).header.command
    assert "--mirror m.example/hub --mirror localhost:5000" in words


def test_the_header_s_command_sets_the_feed(tmp_path: Path) -> None:
    folder = Bench(tmp_path).reproduce(
        options=BuildOptions(nuget_source="https://feed.example/my feed")
    )
    words = shlex.split(read_session(folder).header.command)
    assert words[words.index("--set") + 1] == "nuget_source=https://feed.example/my feed"


def test_the_header_s_command_repeats_the_plan(tmp_path: Path) -> None:
    from kit.plan.resources import parse_memory

    asked = {"arms": (DOTNET, PYTHON), "requested": ResourceRequest(2, 8 * 10**9), "seed": None}
    first = read_session(Bench(tmp_path / "a").reproduce(**asked)).header
    words = shlex.split(first.command)
    assert words[:2] == ["kit", "reproduce"]
    given = dict(zip(words[2::2], words[3::2], strict=True))
    again = read_session(
        Bench(tmp_path / "b").reproduce(
            budget=given["--budget"],
            seed=int(given["--seed"]),
            arms=tuple(given["--arms"].split(",")),
            requested=ResourceRequest(int(given["--cpus"]), parse_memory(given["--memory"])),
        )
    ).header
    assert again.plan_sha256 == first.plan_sha256
    assert again.command == first.command


@pytest.mark.parametrize(
    ("arms", "there", "free_gb", "refused"),
    [
        ((PYTHON,), (), 7, "the cpu images need 8.0 GB, 7.0 GB are free"),
        ((PYTHON,), (), 9, ""),
        ((PYTHON, "python-cuda"), (), 17, "the cpu and cuda images need 18.0 GB"),
        ((PYTHON, "python-cuda"), ("cpu",), 9, "the cuda images need 10.0 GB"),
        ((PYTHON, "python-cuda"), ("cpu", "cuda"), 1, ""),
    ],
)
def test_a_disk_that_cannot_hold_the_images_is_refused_before_they_are_begun(
    tmp_path: Path, arms, there, free_gb, refused
) -> None:
    bench = Bench(tmp_path)
    for variant in there:
        reference = f"kit/python-{variant}:{kit.__version__}"
        bench.engine.images[reference] = image(reference)
    runtime = replace(bench.runtime(), free_disk=lambda folder: free_gb * 10**9)
    study = replace(STUDY, arms={**STUDY.arms, "python-cuda": Arm("python-cuda", "python", "cuda")})
    if not refused:
        check_disk(runtime.engine, runtime.free_disk, study, arms)
        return
    with pytest.raises(HostError, match=refused):
        check_disk(runtime.engine, runtime.free_disk, study, arms)
    assert bench.engine.named("build") == []


def test_another_seed_makes_another_plan(tmp_path: Path) -> None:
    hashes = {
        read_session(Bench(tmp_path / str(seed)).reproduce(seed=seed)).header.plan_sha256
        for seed in (1, 2)
    }
    assert len(hashes) == 2


@pytest.mark.parametrize("at", [1, 2, 3, RUNS])
def test_an_interrupted_session_goes_on_with_exactly_what_is_left(tmp_path: Path, at: int) -> None:
    bench = Bench(tmp_path, StopAt(at))
    with pytest.raises(KeyboardInterrupt):
        bench.reproduce()
    folder = bench.one_folder()
    assert bench.engine.named("remove_by_label") == [(SESSION_LABEL, folder.name)]
    stopped = read_session(folder)
    assert len(stopped.entries) == at - 1
    assert not stopped.torn

    again = Bench(tmp_path)
    assert again.resume(folder) == folder
    planned = [run.run_id for run in stopped.header.plan.runs]
    assert again.ran() == planned[at - 1 :]
    whole = read_session(folder)
    # It ran before the first planned run and is not run again.
    assert whole.executable == stopped.executable
    assert not any(spec_of(r)["run_id"] == RUN_ID for r in again.engine.named("run"))
    assert whole.header == stopped.header
    assert Counter(entry.run_id for entry in whole.entries) == Counter(planned)
    model = reported(folder)
    pipeline.check_outcome(model, folder)
    assert len(model.raw) == RUNS - 2


def test_a_torn_line_is_run_again(tmp_path: Path) -> None:
    folder = Bench(tmp_path).reproduce()
    (folder / RUN_LOG).write_bytes((folder / RUN_LOG).read_bytes()[:-9])
    again = Bench(tmp_path)
    again.resume(folder)
    planned = [run.run_id for run in read_session(folder).header.plan.runs]
    assert again.ran() == planned[-1:]
    assert [entry.run_id for entry in read_session(folder).entries] == planned


def test_resuming_a_finished_session_runs_nothing(tmp_path: Path) -> None:
    folder = Bench(tmp_path).reproduce()
    before = (folder / RUN_LOG).read_bytes()
    again = Bench(tmp_path)
    again.resume(folder)
    assert again.ran() == []
    assert (folder / RUN_LOG).read_bytes() == before
    assert again.engine.named("build") == again.engine.named("find_image") == []


def test_a_failed_run_is_reported_and_made_again_on_resuming(tmp_path: Path) -> None:
    bench = Bench(tmp_path, failing(4))
    folder = bench.reproduce()
    model = reported(folder)
    with pytest.raises(RunError, match="1 of the session's runs failed") as caught:
        pipeline.check_outcome(model, folder)
    assert f"--resume {folder}" in caught.value.remedy
    failed = model.failures[0].run_id
    assert any(f"{failed} failed: the program ended with exit" in x for x in bench.progress.lines)
    again = Bench(tmp_path)
    again.resume(folder)
    assert again.ran() == [failed]


def test_a_failed_run_is_not_promised_again_after_the_rule_ended_the_session(
    tmp_path: Path,
) -> None:
    folder = Bench(tmp_path, failing(4)).reproduce()
    rule = Stopping(first_look=2, shape=0.1, futility=0.2, until="size")
    for ending, promised in ((None, True), ("futile", False)):
        course = Course(rule, 3, 25, (Look(3, 11, (), None, ending),))
        with pytest.raises(RunError) as caught:
            pipeline.check_outcome(replace(reported(folder), course=course), folder)
        assert ("--resume" in caught.value.remedy) is promised


def test_a_failed_run_that_was_made_good_no_longer_fails_the_session(tmp_path: Path) -> None:
    folder = Bench(tmp_path, failing(4)).reproduce()
    Bench(tmp_path).resume(folder)
    model = reported(folder)
    pipeline.check_outcome(model, folder)


def test_arms_that_did_other_work_are_an_error_after_the_report(tmp_path: Path) -> None:
    def other(document):
        if document["arm"] == DOTNET and document["kind"] == "identity":
            document["identity"]["model_config"] = "0" * 64

    folder = Bench(tmp_path, works_but(other)).reproduce()
    model = reported(folder)
    assert (folder / "report.md").exists()
    with pytest.raises(SameWorkError, match="did not do the same work"):
        pipeline.check_outcome(model, folder)


def test_resuming_refuses_another_study(tmp_path: Path) -> None:
    folder = stopped(tmp_path)
    again = Bench(tmp_path)
    with (folder / "study" / "claims.yaml").open("a") as claims:
        claims.write("# another claim\n")
    with pytest.raises(InputError, match="study was changed"):
        again.resume(folder)
    assert again.ran() == []


def test_resuming_refuses_another_kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = stopped(tmp_path)
    monkeypatch.setattr(kit, "__version__", "9.9.9")
    again = Bench(tmp_path)
    with pytest.raises(InputError, match="the kit version is not the recorded one") as caught:
        again.resume(folder)
    assert kit.__version__ in caught.value.problem
    assert again.ran() == []


@pytest.mark.parametrize("arm", ARMS)
def test_resuming_refuses_another_image_by_name(tmp_path: Path, arm: str) -> None:
    folder = stopped(tmp_path)
    before = (folder / RUN_LOG).read_bytes()
    again = Bench(tmp_path)
    build = again.engine.build

    def other_build(request, on_line):
        made = build(request, on_line)
        return replace(made, id="sha256:other") if f"kit/{arm}" in request.tag else made

    again.engine.build = other_build
    with pytest.raises(InputError, match=f"the image of {arm} is not the recorded one"):
        again.resume(folder)
    assert again.ran() == []
    assert (folder / RUN_LOG).read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"budget": "huge"}, InputError, "--budget: 'huge'"),
        ({"budget": "1m"}, InputError, "do not hold two blocks"),
        ({"arms": ("java-cpu",)}, InputError, "no arm is called 'java-cpu'"),
        ({"arms": (PYTHON, PYTHON)}, InputError, "named twice"),
        ({"requested": ResourceRequest(cpus=99)}, HostError, "--cpus: 99"),
        ({"requested": ResourceRequest(memory_bytes=10**12)}, HostError, "--memory: 1.0 TB"),
        ({"requested": ResourceRequest(memory_bytes=10**9)}, HostError, "memory: "),
    ],
)
def test_a_request_that_cannot_be_served_makes_no_folder_and_no_image(
    tmp_path: Path, changes: dict[str, object], error: type[Exception], words: str
) -> None:
    bench = Bench(tmp_path / "out")
    with pytest.raises(error, match=words):
        bench.reproduce(**changes)
    assert not bench.out.exists()
    assert bench.engine.named("build") == []


def test_an_out_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HostError, match=r"--out: .* cannot be made"):
        Bench(tmp_path / "file" / "out").reproduce()


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"budget": "standard"}, False),
        ({"budget": "standard", "design": "auto"}, False),
        ({"budget": "60m"}, False),
        ({"budget": "standard", "until": "size", "blocks": 4}, False),
        ({"budget": "quick"}, True),
        ({"budget": "standard", "blocks": 4}, True),
        ({"budget": "standard", "shard": Shard(1, 2)}, True),
        ({"budget": "standard", "arms": (DOTNET,)}, True),
    ],
)
def test_an_aim_is_refused_where_no_look_can_end_the_session(
    tmp_path: Path, changes: dict[str, Any], refused: bool
) -> None:
    request = pipeline.Request("quick", (), 7, ResourceRequest(), tmp_path, BuildOptions())
    request = replace(request, **{"until": "direction", **changes})
    if refused:
        with pytest.raises(InputError, match="--until"):
            pipeline.check_request(STUDY, request)
    else:
        pipeline.check_request(STUDY, request)
