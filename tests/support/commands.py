"""The kit as a process, on a real engine."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

from kit.engine.docker import DockerEngine
from kit.engine.protocol import SESSION_LABEL


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
