"""Every change that `kit setup` makes to the machine, behind one small interface."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import psutil

from kit.environment import for_program, state_folder, variables
from kit.host import process
from kit.host.process import Done


class Machine(Protocol):
    """The machine setup runs on. Nothing here raises for an ordinary failure."""

    def run(self, command: Sequence[str], timeout_s: float, env: Mapping[str, str]) -> Done:
        """Run to the end; ``env`` is added to the environment."""
        ...

    def spawn(self, command: Sequence[str], log: Path) -> int:
        """Start a daemon in its own session, output to ``log``; its pid."""
        ...

    def kill(self, pid: int, signal: int) -> None:
        """Send a signal; a process that is gone is no failure."""
        ...

    def children(self, pid: int) -> Mapping[int, str]:
        """Pid and program name of every child process."""
        ...

    def which(self, program: str) -> str | None:
        """Where a program is, looking in the system folders too."""
        ...

    def exists(self, path: Path) -> bool:
        """Whether there is such a file or folder."""
        ...

    def read(self, path: Path) -> str | None:
        """A file's text, None if it cannot be read."""
        ...

    def write(self, path: Path, text: str) -> None:
        """Write a file whole or not at all, with the folders above it."""
        ...

    def remove(self, path: Path) -> None:
        """Remove a file, if it is there."""
        ...

    def env(self, name: str) -> str:
        """An environment variable, empty when not set."""
        ...

    def is_root(self) -> bool:
        """Whether the effective user is root."""
        ...

    def system(self) -> str:
        """The kernel's name: Linux, Darwin."""
        ...

    def now(self) -> float:
        """Seconds of a clock that only goes forward."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def state_dir(self) -> Path:
        """The kit's own folder for what must outlive a command."""
        ...


class RealMachine:
    """This machine."""

    # A plain user's PATH, and cron's, often lack these; dockerd lives there.
    _SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"

    def __init__(self) -> None:
        """Nothing is looked at before it is asked for."""
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def _path(self) -> str:
        return f"{variables().get('PATH', os.defpath)}:{self._SYSTEM_PATH}"

    def run(self, command: Sequence[str], timeout_s: float, env: Mapping[str, str]) -> Done:
        """Run to the end, output and errors in one text."""
        own = for_program({"PATH": self._path(), **env})
        return process.run(command, timeout_s, own, merged=True)

    def spawn(self, command: Sequence[str], log: Path) -> int:
        """Start a daemon that outlives this process and its terminal."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            daemon = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd="/",
                env=for_program({"PATH": self._path()}),
            )
        self._children[daemon.pid] = daemon
        return daemon.pid

    def kill(self, pid: int, signal: int) -> None:
        """Send a signal."""
        try:
            os.kill(pid, signal)
        except ProcessLookupError:
            return

    def children(self, pid: int) -> Mapping[int, str]:
        """Pid and program name of every child process."""
        # /proc lists children by the thread that made them, and Go has many threads.
        found: dict[int, str] = {}
        try:
            for child in psutil.Process(pid).children():
                found[child.pid] = child.name()
        except psutil.Error:
            pass
        return found

    def which(self, program: str) -> str | None:
        """Where a program is."""
        return shutil.which(program, path=self._path())

    def exists(self, path: Path) -> bool:
        """Whether there is such a file or folder."""
        return path.exists()

    def read(self, path: Path) -> str | None:
        """A file's text, None if it cannot be read."""
        # Our own child that died is a zombie until somebody asks for its end, and
        # a zombie still has its files in /proc.
        for child in self._children.values():
            child.poll()
        try:
            return path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None

    def write(self, path: Path, text: str) -> None:
        """Write a file whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".new")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)

    def remove(self, path: Path) -> None:
        """Remove a file, if it is there."""
        path.unlink(missing_ok=True)

    def env(self, name: str) -> str:
        """An environment variable, empty when not set."""
        return variables().get(name, "")

    def is_root(self) -> bool:
        """Whether the effective user is root."""
        return os.geteuid() == 0

    def system(self) -> str:
        """The kernel's name."""
        return platform.system()

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def state_dir(self) -> Path:
        """The user's state folder for the kit."""
        return state_folder()
