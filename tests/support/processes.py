"""Other processes of the kit, forked from one that has imported it already."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from kit.host import locks

ENV = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))}
"""For a program that is started and imports the tests' own modules."""

# The server has none of the tests' threads, locks and replaced functions.
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(
    ["fakes.command", "kit.report.sections", "scipy.stats", "cyclonedx.output"]
)


class Process:
    """A process that calls a function of a module; its exit code is what the function returns.

    ``line`` and ``ended`` give what it writes to standard error; standard output goes nowhere.
    """

    def __init__(
        self,
        work: Callable[..., int | None],
        *given: object,
        ignored: Collection[signal.Signals] = (),
        terminal: str = "",
    ) -> None:
        """Start it, with signals ignored as a parent may have left them, or on a terminal."""
        mine, its = _SERVER.Pipe(duplex=False)
        self._process = _SERVER.Process(
            target=_call, args=(its, dict(os.environ), ignored, terminal, work, *given)
        )
        self._process.start()
        its.close()
        self._said = os.fdopen(os.dup(mine.fileno()), encoding="utf-8")
        mine.close()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.is_alive()

    def line(self) -> str:
        """The next line it says."""
        return self._said.readline().rstrip("\n")

    def waited_for(self, text: str) -> None:
        """Read what it says until that text."""
        for line in self._said:
            if text in line:
                return
        raise AssertionError(f"it never said {text!r}")

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once, if it has not ended."""
        self._process.kill()
        self._process.join()
        self._said.close()

    def ended(self) -> tuple[int, str]:
        """Its exit code, and what else it says to its end."""
        said = "" if self._said.closed else self._said.read()
        self._process.join()
        assert self._process.exitcode is not None
        return self._process.exitcode, said


def _call(
    said: Connection,
    environment: dict[str, str],
    ignored: Collection[signal.Signals],
    terminal: str,
    work: Callable[..., int | None],
    *given: Any,
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["kit", work.__name__]
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    streams = (nowhere, nowhere, said.fileno())
    if terminal:
        os.setsid()  # the first terminal that it opens is then its own
        streams = (os.open(terminal, os.O_RDWR),) * 3
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    said.close()
    sys.exit(work(*given))


def hold(place: Path, mode: str, *folders: Path) -> int:
    """Take the machine's lock, and then those of the folders, and say ``locked``."""
    locks.DIRECTORIES = (place,)
    mine = locks.Locks(mode == "wait", _say)
    try:
        mine.machine()
        for folder in folders:
            mine.folder(folder)
        _say("locked")
        if mode == "child":
            _say(str(subprocess.Popen(["sleep", "60"], stderr=subprocess.DEVNULL).pid))
        if mode == "threads":
            _open_elsewhere()
            _say("forked")
        time.sleep(60)
    except KeyboardInterrupt:
        return 130
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _open_elsewhere() -> None:
    """Open the lock's file and close it again, in a thread; fork, and end the child."""
    thread = threading.Thread(target=lambda: os.close(os.open(locks.machine_file(), os.O_RDWR)))
    thread.start()
    thread.join()
    if os.fork() == 0:
        os._exit(0)
    os.wait()


def take_as_nobody(place: Path, release: bool) -> int:
    """Take the machine's lock as the user nobody, with the strictest umask."""
    os.umask(0o077)
    os.setgid(65534)
    os.setuid(65534)
    locks.DIRECTORIES = (place,)
    mine = locks.Locks(False, print)
    mine.machine()
    if release:
        mine.release()
    return 0
