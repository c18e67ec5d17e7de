"""The action and the workflows: valid, pinned, least permissions, no inputs in the shell's text."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from check_jsonschema import main as check
from click.testing import CliRunner
from golden.archive import GOLDEN, opened
from support.workflows import ACTION, ROOT, WORKFLOWS, loaded, matrix_to_copy, steps_of

from kit.results.folder import sums_of

ALL = [*WORKFLOWS, ACTION]
WITH_PERMISSIONS = {"attest", "publish"}
"""Jobs, of any workflow, that have more than the right to read."""
PINNED = re.compile(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.parent.name + "/" + p.name)
def test_it_is_valid_by_githubs_own_schema(path: Path) -> None:
    kind = "github-actions" if path == ACTION else "github-workflows"
    done = CliRunner().invoke(check, ["--builtin-schema", f"vendor.{kind}", str(path)])
    assert done.exit_code == 0, done.output


def test_there_are_the_workflows_and_one_action() -> None:
    assert [p.name for p in WORKFLOWS] == ["docs.yml", "release.yml", "reproduce.yml", "test.yml"]
    assert [*ROOT.glob(".github/**/action.y*ml")] == []


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.parent.name + "/" + p.name)
def test_actions_are_pinned_by_commit_and_named_by_version(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if "uses:" in line]
    others = [line for line in lines if not line.endswith("uses: ./")]
    assert others
    assert [line for line in others if not PINNED.search(line)] == []


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.parent.name + "/" + p.name)
def test_no_expression_is_part_of_a_shell_text(path: Path) -> None:
    for step in steps_of(path):
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.parent.name + "/" + p.name)
def test_every_shell_text_parses(path: Path) -> None:
    for text in (step["run"] for step in steps_of(path) if "run" in step):
        done = subprocess.run(["bash", "-n", "-c", text], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b""), text


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.name)
def test_permissions_are_least_and_every_job_ends(path: Path) -> None:
    document = loaded(path)
    assert document["permissions"] == {"contents": "read"}
    assert document["concurrency"]["group"].endswith("${{ github.ref }}")
    for name, job in document["jobs"].items():
        assert ("permissions" in job) is (name in WITH_PERMISSIONS)
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
    jobs = loaded(ROOT / ".github/workflows/test.yml")["jobs"]
    assert [step["run"] for step in jobs["test"]["steps"] if "run" in step] == [".ci/run"]


def test_the_projects_own_workflow_uses_the_action_and_all_it_gives() -> None:
    action = loaded(ACTION)
    steps = loaded(ROOT / ".github/workflows/test.yml")["jobs"]["action"]["steps"]
    (use,) = (step for step in steps if step.get("uses") == "./")
    assert set(use["with"]) <= set(action["inputs"])
    assert (ROOT / use["with"]["study"] / "study.yaml").is_file()
    given = {f"${{{{ steps.{use['id']}.outputs.{name} }}}}" for name in action["outputs"]}
    assert given == set(steps[-1]["env"].values())


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
    assert loaded(ACTION)["inputs"]["attest"]["default"] == "false"
    steps = steps_of(ACTION)
    (verify,) = (step for step in steps if step.get("id") == "verify")
    assert "inputs.attest == 'true'" in verify["if"]
    (attest,) = (step for step in steps if step.get("uses", "").startswith("actions/attest@"))
    assert "steps.verify.outcome == 'success'" in attest["if"]
    assert steps.index(verify) < steps.index(attest)


def test_what_is_released_is_attested_before_it_is_published_by_jobs_that_run_no_code_of_it() -> (
    None
):
    document = loaded(ROOT / ".github/workflows/release.yml")
    attest, publish = document["jobs"]["attest"], document["jobs"]["publish"]
    assert (attest["needs"], publish["needs"]) == ("build", "attest")
    assert attest["permissions"] == {
        "contents": "read", "id-token": "write", "attestations": "write"
    }  # fmt: skip
    assert publish["permissions"] == {"id-token": "write"}
    used = [s["uses"].partition("@")[0] for s in attest["steps"]]
    assert used == ["actions/download-artifact", "actions/attest"]
    assert publish["environment"] == "pypi"
    assert not any("checkout" in step.get("uses", "") for step in publish["steps"])
    runs = [step["run"] for step in publish["steps"] if "run" in step]
    assert "--require-hashes" in runs[0]
    assert runs[1:] == ["uv publish --trusted-publishing always dist/*"]
    assert re.fullmatch(r"uv==[\d.]+ --hash=sha256:[0-9a-f]{64}", document["env"]["UV"])
    assert "secrets." not in (ROOT / ".github/workflows/release.yml").read_text()


def test_the_matrix_to_copy_is_short_valid_pinned_and_gives_inputs_that_there_are(
    tmp_path: Path,
) -> None:
    text = matrix_to_copy()
    assert len(text.splitlines()) <= 25
    (tmp_path / "copied.yml").write_text(text)
    arguments = ["--builtin-schema", "vendor.github-workflows", str(tmp_path / "copied.yml")]
    done = CliRunner().invoke(check, arguments)
    assert done.exit_code == 0, done.output
    (job,) = yaml.safe_load(text)["jobs"].values()
    checkout, use = job["steps"]
    assert use["uses"] == "OWNER/kit@v1"
    assert set(use["with"]) <= set(loaded(ACTION)["inputs"])
    assert f"uses: {checkout['uses']} # v" in (ROOT / ".github/workflows/test.yml").read_text()
    names = [row["name"] for row in job["strategy"]["matrix"]["include"]]
    assert len(set(names)) == len(names) >= 3
    assert "matrix.name" in use["with"]["artifact"]


def test_the_page_has_every_input_and_output_of_the_action() -> None:
    page = (ROOT / "docs/github.md").read_text()
    action = loaded(ACTION)
    rows = re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE)
    assert rows == [*action["inputs"], *action["outputs"]]


REPRODUCE = """#!/bin/sh
echo "$@" > asked
while [ "$1" != --out ]; do shift; done
mkdir -p "$2/session"
[ -z "$RESULTS" ] || cp "$RESULTS" "$2/session/results.json"
exit 7
"""
"""`kit reproduce` as far as the step can tell; tests/engine runs the real one."""


@pytest.mark.parametrize("reported", [True, False])
def test_the_action_gives_results_and_verdicts_and_ends_as_kit_does(
    tmp_path: Path, reported: bool
) -> None:
    programs = tmp_path / "bin"
    write_program(programs / "kit", REPRODUCE)
    write_program(programs / "python", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    golden = opened(GOLDEN, tmp_path)
    (reproduce,) = (s for s in steps_of(ACTION) if s.get("id") == "reproduce")
    output = tmp_path / "output"
    env = {
        "KIT_SOURCE": str(ROOT), "STUDY": "a study", "BUDGET": "quick", "ARMS": "", "GPU": "true",
        "FAIL_ON": "C1=OPPOSITE", "OUT": "kit-results/mine", "GITHUB_OUTPUT": str(output),
        "RESULTS": str(golden / "results.json") if reported else "",
    }  # fmt: skip
    assert set(reproduce["env"]) < set(env)
    done = shell(reproduce, tmp_path, env, programs)
    assert done.returncode == 7, done.stderr
    asked = (tmp_path / "asked").read_text()
    assert "--study a study" in asked and "--gpu" in asked
    given = dict(line.split("=", 1) for line in output.read_text().splitlines())
    assert given.pop("results") == "kit-results/mine/session"
    if not reported:
        assert given == {}
        return
    lines = (tmp_path / given["verdicts"]).read_text().splitlines()
    assert lines == ["C1\tcpu\tREPRODUCED", "K1\t-\tCONSISTENT"]


VERIFY = """#!/bin/sh
cd "$2" && sha256sum --quiet -c SHA256SUMS || exit 8
"""
"""`kit verify DIR` as far as the step can tell; the real one is tried by `test_verify`."""


@pytest.mark.parametrize("whole", [True, False])
def test_sums_of_folders_that_hold_are_what_is_attested(tmp_path: Path, whole: bool) -> None:
    programs = tmp_path / "bin"
    write_program(programs / "kit", VERIFY)
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


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


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
