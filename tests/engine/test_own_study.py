"""A second, tiny study, for real: two Dockerfiles of a few lines, seconds to run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from test_interrupt import Command, folder_in, started  # noqa: F401

from kit.engine.docker import DockerEngine
from kit.engine.objects import Removed
from kit.engine.protocol import SESSION_LABEL, RunRequest
from kit.host.facts import cores
from kit.plan.resources import halves
from kit.results.runlog import read_session
from kit.schemas import problems

pytestmark = [pytest.mark.engine, pytest.mark.machine, pytest.mark.timeout(1200)]


def kit(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kit", *arguments],
        capture_output=True,
        text=True,
        timeout=1100,
        env={**os.environ, "COLUMNS": "80"},
        check=False,
    )


@pytest.fixture(scope="module")
def study(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies") / "squares"
    done = kit("new-study", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


def reproduce(study: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    # Whatever else this machine does: the numbers are not asserted.
    return kit("reproduce", "--study", str(study), "--out", str(out), "--allow-busy-host", *more)


def test_it_runs_as_it_is_and_is_judged(study: Path, tmp_path: Path) -> None:
    done = reproduce(study, tmp_path, "--seed", "1")
    assert done.returncode == 0, done.stderr
    assert "Is the built-in sum faster than a loop?" in done.stdout
    assert "Same work: passed (" in done.stdout
    folder = folder_in(tmp_path)
    results = json.loads((folder / "results.json").read_text())
    assert problems("results", results) == []
    assert results["study"]["id"] == "squares"
    rows = {row["name"]: row["exact"] for row in results["fidelity"]}
    assert set(rows) == {"python", "data", "base image"}
    assert rows["python"] == rows["base image"], "a substitute is not vouched for"
    indicative = {v["indicative"] for v in results["variants"][0]["verdicts"]}
    assert indicative == {not rows["python"]}
    assert "contender" not in (folder / "report.md").read_text().partition("## Raw")[0]
    assert "builtin is faster" in (folder / "report.md").read_text()
    assert kit("judge", str(folder)).stdout in done.stdout


def test_it_ends_by_its_looks_and_an_interruption_loses_nothing(
    study: Path,
    tmp_path: Path,
    started: list[Command],  # noqa: F811
) -> None:
    small = Path(shutil.copytree(study, tmp_path / "small"))
    text = (small / "study.yaml").read_text()
    standard = "standard: {blocks: 20, pilot: 5, power: 0.8, repeats: 10,"
    assert standard in text
    few = "standard: {blocks: 7, pilot: 3, power: 0.8, repeats: 3,"
    (small / "study.yaml").write_text(text.replace(standard, few))
    out = tmp_path / "out"
    command = Command(
        "reproduce", "--study", str(small), "--out", str(out), "--allow-busy-host",
        "--budget", "standard",
    )  # fmt: skip
    started.append(command)
    command.wait_for("block 5: ")
    code, seconds = command.stop(signal.SIGINT)
    assert (code, seconds < 10) == (130, True)
    folder = folder_in(out)
    stopped = read_session(folder)
    assert stopped.looks == ()
    done = kit("reproduce", "--resume", str(folder), "--allow-busy-host")
    assert done.returncode == 0, done.stderr
    whole = read_session(folder)
    assert whole.ending is not None
    assert [e.run_id for e in whole.entries] == [run.run_id for run in whole.due_runs()]
    assert whole.entries[: len(stopped.entries)] == stopped.entries
    results = json.loads((folder / "results.json").read_text())
    controls = {c["role"]: c for c in results["variants"][0]["controls"]}
    assert set(controls) == {"placebo", "slowed"}
    assert controls["slowed"]["estimates"]["warm_median"]["pairs"] == whole.looks[-1].blocks
    assert results["stopping"]["ending"] == whole.ending
    assert kit("verify", str(folder)).returncode == 0


def test_duet_runs_overlap_on_halves_and_end_together(
    study: Path,
    tmp_path: Path,
    engine: DockerEngine,
    started: list[Command],  # noqa: F811
) -> None:
    if halves(cores() or [(c,) for c in range(os.cpu_count() or 1)], os.cpu_count() or 1) is None:
        refused = reproduce(study, tmp_path, "--design", "duet")
        assert refused.returncode == 3
        assert "two equal sets of cores" in refused.stderr
        return
    done = reproduce(study, tmp_path, "--design", "duet", "--blocks", "2")
    assert done.returncode == 0, done.stderr
    assert "contention" in done.stdout
    folder = folder_in(tmp_path)
    pairs: dict[tuple[int, int | None], list[tuple[str, str]]] = {}
    for entry in read_session(folder).timed():
        times = (entry.started_at, entry.finished_at)
        pairs.setdefault((entry.block, entry.pair), []).append(times)
    assert len(pairs) == 4
    for (first_start, first_end), (second_start, second_end) in pairs.values():
        assert first_start < second_end and second_start < first_end
    out = tmp_path / "again"
    command = Command(
        "reproduce", "--study", str(study), "--out", str(out), "--allow-busy-host",
        "--design", "duet", "--blocks", "20",
    )  # fmt: skip
    started.append(command)
    command.wait_for("block 2: ")
    code, seconds = command.stop(signal.SIGINT)
    assert (code, seconds < 10) == (130, True)
    session_id = folder_in(out).name
    assert engine.remove_by_label(SESSION_LABEL, session_id) == Removed()


def test_a_program_that_breaks_the_contract_is_named(study: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(study, broken)
    program = broken / "arms" / "builtin" / "program.py"
    program.write_text("print('no record')\n")
    done = reproduce(broken, tmp_path / "out")
    assert done.returncode == 5
    assert "identity-builtin-cpu: the program wrote no record" in done.stderr
    (broken / "arms" / "loop" / "Dockerfile").write_text("FROM nothing-of-that-name\n")
    done = reproduce(broken, tmp_path / "out")
    assert done.returncode == 4, done.stderr


def test_a_terminal_is_one_for_the_program(engine: DockerEngine, tiny_image: str) -> None:
    command = ("sh", "-c", "[ -t 1 ] && echo terminal || echo pipe")
    said = [
        engine.run(RunRequest(image=tiny_image, command=command, terminal=terminal)).logs.strip()
        for terminal in (True, False)
    ]
    assert said == ["terminal", "pipe"]
