"""The workflows: valid, pinned, with least permissions, and inputs kept out of the shell."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))
ALL = [*WORKFLOWS, *ACTIONS]


def loaded(path: Path) -> dict:
    return yaml.safe_load(path.read_text())


def steps_of(path: Path) -> list[dict]:
    document = loaded(path)
    if "runs" in document:
        return document["runs"]["steps"]
    return [step for job in document["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.parent.name + "/" + p.name)
def test_it_is_valid_by_githubs_own_schema(path: Path) -> None:
    kind = "github-actions" if path in ACTIONS else "github-workflows"
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{kind}", path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_the_workflows_and_the_action() -> None:
    assert [p.name for p in WORKFLOWS] == ["reproduce.yml", "test.yml"]
    assert len(ACTIONS) == 1


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.parent.name + "/" + p.name)
def test_actions_are_pinned_by_commit_and_named_by_version(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if "uses:" in line]
    assert lines
    for line in lines:
        assert re.search(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.parent.name + "/" + p.name)
def test_no_expression_is_part_of_a_shell_text(path: Path) -> None:
    for step in steps_of(path):
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.name)
def test_permissions_are_least_and_every_job_ends(path: Path) -> None:
    document = loaded(path)
    assert document["permissions"] == {"contents": "read"}
    assert document["concurrency"]["group"].endswith("${{ github.ref }}")
    for job in document["jobs"].values():
        assert "permissions" not in job
        assert 0 < job["timeout-minutes"] <= 360
        checkouts = [s for s in job["steps"] if "actions/checkout" in s.get("uses", "")]
        assert all(s["with"]["persist-credentials"] is False for s in checkouts)


def test_a_gpu_row_can_look_at_its_gpu_and_one_failed_shard_stops_no_other() -> None:
    jobs = loaded(ROOT / ".github/workflows/reproduce.yml")["jobs"]
    (install,) = (s["run"] for s in jobs["shard"]["steps"] if s.get("name") == "Install")
    assert "pip install '.[gpu]'" in install
    assert "!cancelled()" in jobs["gather"]["if"]
    assert jobs["shard"]["strategy"]["fail-fast"] is False


def test_the_tests_are_what_is_run_everywhere() -> None:
    runs = [step["run"] for step in steps_of(ROOT / ".github/workflows/test.yml") if "run" in step]
    assert runs == [".ci/run"]


def test_the_week_checks_the_pins() -> None:
    document = loaded(ROOT / ".github/workflows/reproduce.yml")
    assert document[True]["schedule"]  # YAML 1.1 reads the key "on" as true
    assert [s["run"] for s in document["jobs"]["pins"]["steps"] if "run" in s][-1] == (
        "kit lock --check"
    )
