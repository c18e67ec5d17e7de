"""reproduce.yml's shell steps, run for real with a light study: matrix, shards, merge."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kit.engine.docker import DockerEngine
from kit.results.runlog import read_session

pytestmark = [pytest.mark.engine, pytest.mark.machine, pytest.mark.timeout(1200)]
ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/reproduce.yml").read_text())


@pytest.fixture
def shell(engine: DockerEngine, tmp_path: Path):
    """Runs a step's own text in a working folder, with `kit` and a `pip` that does nothing."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (
        ("kit", f'exec {sys.executable} -m kit "$@"'),
        ("python3", f'exec {sys.executable} "$@"'),
        ("python", f'exec {sys.executable} "$@"'),
        # The package under test is installed already; installing it is .ci/run's own step.
        ("pip", 'echo "pip $*"'),
    ):
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()

    def run(step: dict, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        path = f"{programs}:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=work, env={**os.environ, "PATH": path, **env}, text=True,
            capture_output=True, timeout=900, check=False,
        )  # fmt: skip

    run.work = work  # type: ignore[attr-defined]
    return run


def step(job: str, name: str) -> dict:
    return next(s for s in WORKFLOW["jobs"][job]["steps"] if s.get("name") == name)


def test_the_workflow_plans_runs_its_shards_and_gathers_them(shell, tmp_path: Path) -> None:
    work: Path = shell.work
    assert shell({"run": "kit new-study light"}, {}).returncode == 0
    output = tmp_path / "output"
    env = {
        "STUDY": "light", "BUDGET": "quick", "BLOCKS": "2", "SHARDS": "2", "FAIL_ON": "",
        "RUNNERS": "here", "GPU_RUNNERS": "", "GITHUB_OUTPUT": str(output),
    }  # fmt: skip
    done = shell(step("plan", "Matrix"), env)
    assert done.returncode == 0, done.stderr
    outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
    rows = json.loads(outputs["matrix"])["include"]
    assert [row["shard"] for row in rows] == ["1/2", "2/2"]
    for row in rows:
        assert shell(step("shard", "Install"), env).returncode == 0
        more = {
            "SEED": outputs["seed"], "SHARD": row["shard"], "GPU": row["gpu"],
            "PLACE": f"{row['group']}/{row['name']}",
        }  # fmt: skip
        done = shell(step("shard", "Reproduce"), {**env, **more})
        assert done.returncode == 0, done.stderr
        # What upload-artifact does, and download-artifact with merge-multiple.
        shutil.copytree(work / "shard", work / "shards", dirs_exist_ok=True)
        shutil.rmtree(work / "shard")
    summary = tmp_path / "summary.md"
    last = {
        **env, "GROUPS_OF_SHARDS": outputs["groups"], "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(summary),
    }  # fmt: skip
    done = shell(step("merge", "Merge and judge"), last)
    assert done.returncode == 0, done.stderr
    assert "::" in done.stderr and "title=C1" in done.stderr
    assert summary.read_text().startswith("# Is the built-in sum faster")
    (folder,) = (work / "results" / "here-cpu").iterdir()
    session = read_session(folder)
    assert {e.block for e in session.timed()} == {0, 1}
    failing = {**last, "FAIL_ON": "K1=CONSISTENT"}
    again = shell(
        {"run": step("merge", "Merge and judge")["run"].replace("results", "r2")}, failing
    )
    assert again.returncode == 7, again.stderr
    # A shard that failed costs its own group alone.
    shutil.copytree(work / "shards" / "here-cpu", work / "shards" / "there-cpu")
    shutil.rmtree(work / "shards" / "here-cpu" / "here-cpu-2")
    both = {**last, "GROUPS_OF_SHARDS": "here-cpu there-cpu"}
    part = shell({"run": step("merge", "Merge and judge")["run"].replace("results", "r3")}, both)
    assert part.returncode == 2 and "shard 2/2 is missing" in part.stderr
    assert [path.name for path in (work / "r3").iterdir()] == ["there-cpu"]


def test_the_action_gives_its_summary_results_and_verdicts(shell, tmp_path: Path) -> None:
    assert shell({"run": "kit new-study light"}, {}).returncode == 0
    (reproduce,) = (s for s in ACTION["runs"]["steps"] if s.get("name") == "Reproduce")
    output, summary = tmp_path / "output", tmp_path / "summary.md"
    env = {
        "KIT_SOURCE": str(ROOT), "STUDY": "light", "BUDGET": "quick", "ARMS": "", "GPU": "false",
        "FAIL_ON": "K1=CONSISTENT", "OUT": "kit-results/mine", "GITHUB_OUTPUT": str(output),
        "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary),
    }  # fmt: skip
    done = shell(reproduce, env)
    assert done.returncode == 7, done.stderr
    assert summary.read_text().startswith("# Is the built-in sum faster")
    given = dict(line.split("=", 1) for line in output.read_text().splitlines())
    assert shell({"run": f"kit verify '{given['results']}'"}, {}).returncode == 0
    verdicts = (shell.work / given["verdicts"]).read_text().splitlines()
    assert [line.split("\t")[0] for line in verdicts] == ["C1", "K1"]
