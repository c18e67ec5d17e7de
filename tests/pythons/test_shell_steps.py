"""What the action and the release install works alone: their own steps, in a new environment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.documented import QUICK, copy_checkout
from support.workflows import ACTION, ROOT, loaded, step_of

import kit

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
RELEASE = ROOT / ".github" / "workflows" / "release.yml"


@pytest.fixture
def runner(tmp_path: Path):
    """Runs a step as a runner does, in a checkout, with a Python that has only pip."""
    place = tmp_path / "python"
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    copy_checkout(checkout)
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    env |= {**QUICK, "PATH": f"{place / 'bin'}:{os.environ['PATH']}", "RUNNER_TEMP": str(tmp_path)}

    def run(step: dict, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=checkout, env={**env, **more}, text=True, capture_output=True, check=False,
        )  # fmt: skip

    run.checkout = checkout  # type: ignore[attr-defined]
    return run


def test_the_action_installs_the_kit_of_its_own_checkout(runner) -> None:
    done = runner(step_of(ACTION, "Install"), KIT_SOURCE=f"{runner.checkout}/.", EXTRA="[gpu]")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"kit, version {kit.__version__}"
    done = runner({"run": "cd / && python -c 'import kit, pynvml; print(kit.__file__)'"})
    assert done.returncode == 0, done.stderr
    assert "site-packages" in done.stdout


def test_the_release_builds_a_wheel_that_works_alone_under_the_tag_of_its_version(runner) -> None:
    requirement = loaded(RELEASE)["env"]["UV"]
    assert re.match(r"uv==[\d.]+ --hash=", requirement)
    build, publish = (
        next(s for s in loaded(RELEASE)["jobs"][job]["steps"] if s.get("name") == "Install")
        for job in ("build", "publish")
    )
    assert build == publish
    done = runner(build, UV=requirement)
    assert done.returncode == 0, done.stderr
    done = runner(step_of(RELEASE, "Build"))
    assert done.returncode == 0, done.stderr
    named = step_of(RELEASE, "The tag names the version")
    assert runner(named, TAG=f"v{kit.__version__}").returncode == 0
    assert runner(named, TAG="v99.0.0").returncode == 1
    done = runner(step_of(RELEASE, "The wheel works alone"))
    assert done.returncode == 0, done.stderr
