"""Ctrl-C and SIGTERM on the real command line: quick, clean, and resumable."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.commands import Command, folder_in, running_volumes

from kit.engine.docker import DockerEngine
from kit.engine.protocol import SESSION_LABEL
from kit.errors import EXIT_INTERRUPTED
from kit.results.runlog import read_session
from kit.study.load import write_new_study

pytestmark = [pytest.mark.engine, pytest.mark.machine, pytest.mark.timeout(1200)]
LIMIT_S = 10
SLOW = """
import time
def work(workload, summed=work):
    time.sleep(0.5)
    return summed(workload)
record.main(work)
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template's study, one arm slow enough to be caught running."""
    folder = tmp_path_factory.mktemp("interrupted") / "slow"
    write_new_study(folder)
    program = folder / "arms" / "loop" / "program.py"
    program.write_text(program.read_text().replace("record.main(work)\n", SLOW))
    return folder


def reproduce(study: Path, out: Path) -> Command:
    return Command(
        "reproduce", "--study", str(study), "--allow-busy-host", "--seed", "1",
        "--arms", "loop-cpu", "--out", str(out),
    )  # fmt: skip


@pytest.fixture
def started() -> Iterator[list[Command]]:
    """Commands put here are ended after the test, whatever became of it."""
    commands: list[Command] = []
    yield commands
    for command in commands:
        if command.process.poll() is None:
            command.process.kill()
            command.process.wait()


def left_behind(engine: DockerEngine, session: str, volumes: set[str]) -> list[str]:
    client = engine._link.client
    filters = {"label": f"{SESSION_LABEL}={session}"}
    containers = [c["Id"] for c in client.containers(all=True, quiet=True, filters=filters)]
    listed = {volume["Name"] for volume in client.volumes().get("Volumes") or ()}
    return containers + sorted(listed & volumes)


def test_ctrl_c_in_an_identity_run(
    engine: DockerEngine, study: Path, tmp_path: Path, started: list[Command]
) -> None:
    command = reproduce(study, tmp_path)
    started.append(command)
    command.wait_for("runs: identity")
    folder = folder_in(tmp_path)
    volumes = running_volumes(engine, folder.name)
    assert volumes
    code, seconds = command.stop(signal.SIGINT)
    print(f"ended after {seconds:.1f} s")
    assert code == EXIT_INTERRUPTED
    assert seconds < LIMIT_S
    assert f"kit reproduce --resume {folder}" in "\n".join(command.lines)
    assert "Traceback" not in "\n".join(command.lines)
    assert left_behind(engine, folder.name, volumes) == []
    assert sorted(path.name for path in folder.iterdir()) == ["runlog.jsonl", "sbom", "study"]
    assert read_session(folder).entries == ()


def test_sigterm_in_a_block_then_resume(
    engine: DockerEngine, study: Path, tmp_path: Path, started: list[Command]
) -> None:
    command = reproduce(study, tmp_path)
    started.append(command)
    command.wait_for("runs: block 1:")
    folder = folder_in(tmp_path)
    volumes = running_volumes(engine, folder.name)
    code, seconds = command.stop(signal.SIGTERM)
    print(f"ended after {seconds:.1f} s")
    assert code == EXIT_INTERRUPTED
    assert seconds < LIMIT_S
    assert left_behind(engine, folder.name, volumes) == []
    assert [entry.kind for entry in read_session(folder).entries] == ["identity"]

    resumed = Command("reproduce", "--resume", str(folder), "--allow-busy-host")
    started.append(resumed)
    first = resumed.wait_for("runs: ")
    assert "block 1:" in first, "what is done must not run again"
    volumes = running_volumes(engine, folder.name)
    code, seconds = resumed.stop(signal.SIGINT)
    assert (code, seconds < LIMIT_S) == (EXIT_INTERRUPTED, True)
    assert left_behind(engine, folder.name, volumes) == []
