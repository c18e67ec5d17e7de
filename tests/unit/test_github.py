"""The workflows: valid, pinned, with least permissions, and inputs kept out of the shell."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from check_jsonschema import main as check
from click.testing import CliRunner

from kit.results.folder import sums_of

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
    done = CliRunner().invoke(check, ["--builtin-schema", f"vendor.{kind}", str(path)])
    assert done.exit_code == 0, done.output


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
    for name, job in document["jobs"].items():
        assert ("permissions" in job) is (name == "attest")
        assert 0 < job["timeout-minutes"] <= 360
        checkouts = [s for s in job["steps"] if "actions/checkout" in s.get("uses", "")]
        assert all(s["with"]["persist-credentials"] is False for s in checkouts)


def test_a_gpu_row_can_look_at_its_gpu_and_one_failed_shard_stops_no_other() -> None:
    jobs = loaded(ROOT / ".github/workflows/reproduce.yml")["jobs"]
    (install,) = (s["run"] for s in jobs["shard"]["steps"] if s.get("name") == "Install")
    assert "pip install '.[gpu]'" in install
    assert "!cancelled()" in jobs["merge"]["if"]
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


def test_the_job_that_attests_can_do_nothing_else() -> None:
    job = loaded(ROOT / ".github/workflows/reproduce.yml")["jobs"]["attest"]
    assert job["permissions"] == {"contents": "read", "id-token": "write", "attestations": "write"}
    (subjects, attest) = job["steps"]
    assert set(subjects) == {"name", "env", "run"}
    assert attest["uses"].startswith("actions/attest@")
    assert attest["with"] == {"subject-checksums": "subjects.txt"}
    assert "inputs.attest" in job["if"] and "needs.merge.outputs.sums" in job["if"]


def test_the_action_attests_only_when_asked_and_only_what_was_verified() -> None:
    assert loaded(ACTIONS[0])["inputs"]["attest"]["default"] == "false"
    steps = steps_of(ACTIONS[0])
    (verify,) = (step for step in steps if step.get("id") == "verify")
    assert "inputs.attest == 'true'" in verify["if"]
    (attest,) = (step for step in steps if step.get("uses", "").startswith("actions/attest@"))
    assert "steps.verify.outcome == 'success'" in attest["if"]
    assert steps.index(verify) < steps.index(attest)


VERIFY = """#!/bin/sh
cd "$2" && sha256sum --quiet -c SHA256SUMS || exit 8
"""
"""`kit verify DIR` as far as the step can tell; the real one is tried by `test_verify`."""


@pytest.mark.parametrize("whole", [True, False])
def test_sums_of_folders_that_hold_are_what_is_attested(tmp_path: Path, whole: bool) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "kit").write_text(VERIFY)
    (programs / "kit").chmod(0o755)
    folders = [tmp_path / "results" / group / "session" for group in ("here-cpu", "there-cpu")]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "report.md").write_text(f"{folder}\n")
        (folder / "SHA256SUMS").write_bytes(sums_of(folder))
    if not whole:
        (folders[1] / "report.md").write_text("All claims hold.\n")
    jobs = loaded(ROOT / ".github/workflows/reproduce.yml")["jobs"]
    (verify,) = (step for step in jobs["merge"]["steps"] if step.get("id") == "verify")
    output = tmp_path / "output"
    output.touch()
    done = shell(verify, tmp_path, {"GITHUB_OUTPUT": str(output)}, programs)
    if not whole:
        assert done.returncode == 8
        assert output.read_text() == ""
        return
    assert done.returncode == 0, done.stderr
    first, *lines, last = output.read_text().splitlines()
    assert (first, last) == ("sums<<END", "END")
    digests = [hashlib.sha256((f / "SHA256SUMS").read_bytes()).hexdigest() for f in folders]
    assert [line.split()[0] for line in lines] == digests
    (subjects,) = (step for step in jobs["attest"]["steps"] if "run" in step)
    assert shell(subjects, tmp_path, {"SUMS": "\n".join(lines)}, programs).returncode == 0
    check = subprocess.run(["sha256sum", "-c", "subjects.txt"], cwd=tmp_path, check=False)
    assert check.returncode == 0


def shell(
    step: dict, work: Path, env: dict[str, str], programs: Path
) -> subprocess.CompletedProcess[str]:
    """Run a step's own text as a runner does."""
    path = f"{programs}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=work, env={**os.environ, "PATH": path, **env}, text=True, capture_output=True,
        check=False,
    )  # fmt: skip
