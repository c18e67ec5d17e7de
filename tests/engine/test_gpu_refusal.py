"""A host that cannot give a container a GPU, for real: what is said, left over and still done."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from support.documented import GPU

from kit.engine.docker import DockerEngine
from kit.engine.protocol import RunRequest
from kit.errors import RunError
from kit.host.gpu.preflight import Preflight, check, run_trial
from kit.host.gpu.probe import NvmlProbe
from kit.judge.words import NOT_TESTABLE
from kit.records.gpu import DetectedGpus, GpuCheck
from kit.results.runlog import read_session
from kit.schemas import problems
from kit.study.folder import STUDY
from kit.study.load import write_new_study

pytestmark = [pytest.mark.engine, pytest.mark.machine, pytest.mark.timeout(1200)]

CUDA = ("loop-cuda", "builtin-cuda")


def asked(engine: DockerEngine) -> GpuCheck:
    return check(Preflight(engine.info(), DetectedGpus()), CUDA)


@pytest.fixture(scope="module")
def refused(engine: DockerEngine, tiny_image: str) -> GpuCheck:
    """What the engine answers; a host whose containers get a GPU has nothing to refuse."""
    found = run_trial(engine, tiny_image, asked(engine))
    if not found.problems:
        pytest.skip("this engine gives a container a GPU")
    return found


def test_the_refusal_is_a_problem_in_the_engine_s_own_words(refused: GpuCheck) -> None:
    (problem,) = refused.problems
    assert problem.what.startswith("the engine ")
    assert "device driver" in problem.what or "without one" in problem.what
    assert "capabilities" in problem.what or "without one" in problem.what
    assert "NVIDIA Container Toolkit" in problem.remedy
    assert refused.untestable == CUDA


@pytest.mark.parametrize("gpu", ["all", "0", "GPU-8f0c1e6e-0000-0000-0000-000000000000"])
def test_a_refused_request_leaves_no_container_and_no_volume(
    engine: DockerEngine, tiny_image: str, refused: GpuCheck, gpu: str
) -> None:
    mark = {"org.kit.test": uuid.uuid4().hex}
    volume = f"kit-test-{uuid.uuid4().hex[:12]}"
    client = engine._link.client
    request = RunRequest(tiny_image, ("true",), gpu=gpu, labels=mark, volumes={volume: "/kept"})
    try:
        with pytest.raises(RunError, match="could not be started"):
            engine.run(request)
        label = {"label": [f"{key}={value}" for key, value in mark.items()]}
        assert client.containers(all=True, filters=label) == []
        assert client.volumes(filters=label)["Volumes"] in (None, [])
    finally:
        # A named volume is kept by design; this one is the test's own.
        client.remove_volume(volume, force=True)


def test_the_trial_leaves_no_container_of_its_image_and_makes_no_cache(
    engine: DockerEngine, tiny_image: str, refused: GpuCheck
) -> None:
    client = engine._link.client
    before = {volume["Name"] for volume in client.volumes()["Volumes"] or ()}
    run_trial(engine, tiny_image, asked(engine))
    assert client.containers(all=True, filters={"ancestor": tiny_image}) == []
    after = {volume["Name"] for volume in client.volumes()["Volumes"] or ()}
    assert "kit-cuda-cache" not in after - before


def test_a_session_without_a_gpu_ends_with_the_report_and_the_right_code(
    refused: GpuCheck, tmp_path: Path
) -> None:
    if NvmlProbe().look().gpus:
        pytest.skip("this machine has a GPU")
    study = tmp_path / "study"
    write_new_study(study)
    text = (study / STUDY).read_text()
    on_cpu = re.findall(r"(?m)^  .*variant: cpu,.*\n", text)
    assert len(on_cpu) == 2
    on_gpu = [arm.replace("cpu", "cuda") for arm in on_cpu]
    (study / STUDY).write_text(text.replace(on_cpu[-1], "".join((on_cpu[-1], *on_gpu))))
    out = tmp_path / "out"
    options = ["--study", str(study), "--allow-busy-host", "--blocks", "1", "--out", str(out)]
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(GPU), *options],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    printed, said = done.stdout, done.stderr
    assert done.returncode == 3, said
    assert "--gpu: the CUDA arms could not be tested here" in said
    assert "device driver" in said.splitlines()[-2]
    assert "NOT TESTABLE HERE" in printed
    assert "Report: " in printed

    (folder,) = out.iterdir()
    session = read_session(folder)
    assert session.header.plan.arms == ("loop-cpu", "builtin-cpu")
    assert {entry.failure for entry in session.entries} == {None}
    assert session.header.gpu is not None
    assert session.header.gpu.untestable == CUDA
    results = json.loads((folder / "results.json").read_text())
    assert problems("results", results) == []
    words = {
        variant["variant"]: {verdict["word"] for verdict in variant["verdicts"]}
        for variant in results["variants"]
    }
    assert words["cuda"] == {NOT_TESTABLE}
    assert NOT_TESTABLE not in words["cpu"]
    assert "device driver" in (folder / "report.md").read_text()
