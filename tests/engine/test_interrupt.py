"""Ctrl-C and SIGTERM on the real command line: quick, clean, and resumable."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.engine.docker import DockerEngine
from kit.engine.protocol import SESSION_LABEL
from kit.errors import EXIT_INTERRUPTED
from kit.measure.runlog import read_session

# On a machine that has nothing from before, the images are built first.
pytestmark = [pytest.mark.engine, pytest.mark.timeout(1200)]
LIMIT_S = 10


class Command:
    """A kit process whose standard error is read as it comes."""

    def __init__(self, *arguments: str) -> None:
        self.lines: list[str] = []
        self._queue: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kit", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._queue.put(line.rstrip())
        self._queue.put(None)

    def wait_for(self, text: str, timeout_s: float = 1100) -> str:
        """The first further line that holds the text."""
        end = time.monotonic() + timeout_s
        while True:
            line = self._queue.get(timeout=max(end - time.monotonic(), 0.01))
            assert line is not None, "the command ended: " + "\n".join(self.lines)
            self.lines.append(line)
            if text in line:
                return line

    def stop(self, number: int) -> tuple[int, float]:
        """Send the signal: the exit code, and the seconds until the end."""
        start = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(timeout=60)
        seconds = time.monotonic() - start
        while (line := self._queue.get(timeout=5)) is not None:
            self.lines.append(line)
        return code, seconds


@pytest.fixture
def started() -> Iterator[list[Command]]:
    """Commands put here are ended after the test, whatever became of it."""
    commands: list[Command] = []
    yield commands
    for command in commands:
        if command.process.poll() is None:
            command.process.kill()
            command.process.wait()


def folder_in(out: Path) -> Path:
    (folder,) = out.iterdir()
    return folder


def running_volumes(engine: DockerEngine, session: str) -> set[str]:
    """Wait until a container of the session runs: the names of its volumes."""
    client = engine._link.client
    filters = {"label": f"{SESSION_LABEL}={session}", "status": "running"}
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for found in client.containers(filters=filters):
            return {mount["Name"] for mount in found["Mounts"] if mount["Type"] == "volume"}
        time.sleep(0.1)
    raise AssertionError("no container of the session ran")


def left_behind(engine: DockerEngine, session: str, volumes: set[str]) -> list[str]:
    client = engine._link.client
    filters = {"label": f"{SESSION_LABEL}={session}"}
    containers = [c["Id"] for c in client.containers(all=True, quiet=True, filters=filters)]
    listed = {volume["Name"] for volume in client.volumes().get("Volumes") or ()}
    return containers + sorted(listed & volumes)


def test_ctrl_c_in_an_identity_run(
    engine: DockerEngine, tmp_path: Path, started: list[Command]
) -> None:
    command = Command("reproduce", "--noisy", "--seed", "1", "--out", str(tmp_path))
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
    engine: DockerEngine, tmp_path: Path, started: list[Command]
) -> None:
    command = Command(
        "reproduce", "--noisy", "--seed", "1", "--arms", "python-cpu", "--out", str(tmp_path)
    )  # fmt: skip
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

    resumed = Command("reproduce", "--resume", str(folder))
    started.append(resumed)
    first = resumed.wait_for("runs: ")
    assert "block 1:" in first, "what is done must not run again"
    volumes = running_volumes(engine, folder.name)
    code, seconds = resumed.stop(signal.SIGINT)
    assert (code, seconds < LIMIT_S) == (EXIT_INTERRUPTED, True)
    assert left_behind(engine, folder.name, volumes) == []
