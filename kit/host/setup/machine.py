"""The interface through which `kit setup` reads and changes the machine."""

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
from kit.host.process import CommandResult


class Machine(Protocol):
    """The machine that setup runs on. No method raises for an ordinary failure."""

    def run(
        self, command: Sequence[str], timeout_s: float, env: Mapping[str, str]
    ) -> CommandResult:
        """Run a program to its end and return it; ``env`` is added to the environment."""
        ...

    def spawn(self, command: Sequence[str], log: Path) -> int:
        """Start a daemon in its own session, with output to ``log``; return its pid."""
        ...

    def kill(self, pid: int, signal: int) -> None:
        """Send a signal to the process of that pid, unless it is gone."""
        ...

    def children(self, pid: int) -> Mapping[int, str]:
        """Return the program name of every child process of that one, by pid."""
        ...

    def which(self, program: str) -> str | None:
        """Return the path of a program, looked up in the system folders too; None without one."""
        ...

    def exists(self, path: Path) -> bool:
        """Return whether there is such a file or folder."""
        ...

    def read(self, path: Path) -> str | None:
        """Return a file's text; None if it cannot be read."""
        ...

    def write(self, path: Path, text: str) -> None:
        """Write a file atomically, and create the folders above it."""
        ...

    def remove(self, path: Path) -> None:
        """Remove a file, if it exists."""
        ...

    def env(self, name: str) -> str:
        """Return the value of an environment variable; empty when it is not set."""
        ...

    def is_root(self) -> bool:
        """Return whether the effective user is root."""
        ...

    def system(self) -> str:
        """Return the kernel's name: Linux, Darwin."""
        ...

    def now(self) -> float:
        """Return the seconds of a monotonic clock."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for that number of seconds."""
        ...

    def state_dir(self) -> Path:
        """Return kit's own folder for data that must outlive a command."""
        ...


class RealMachine:
    """The machine that this process runs on, as a ``Machine``."""

    # A plain user's PATH, and cron's, often lack these; dockerd lives there.
    _SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"

    def __init__(self) -> None:
        """Start without child processes."""
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def _path(self) -> str:
        return f"{variables().get('PATH', os.defpath)}:{self._SYSTEM_PATH}"

    def run(
        self, command: Sequence[str], timeout_s: float, env: Mapping[str, str]
    ) -> CommandResult:
        """Run a program to its end, with output and errors in one text."""
        own = for_program({"PATH": self._path(), **env})
        return process.run(command, timeout_s, own, merged=True)

    def spawn(self, command: Sequence[str], log: Path) -> int:
        """Start a daemon that outlives this process and its terminal; return its pid."""
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
        """Send a signal to the process of that pid, unless it is gone."""
        try:
            os.kill(pid, signal)
        except ProcessLookupError:
            return

    def children(self, pid: int) -> Mapping[int, str]:
        """Return the program name of every child process of that one, by pid."""
        # /proc lists children by the thread that made them, and Go has many threads.
        found: dict[int, str] = {}
        try:
            for child in psutil.Process(pid).children():
                found[child.pid] = child.name()
        except psutil.Error:
            pass
        return found

    def which(self, program: str) -> str | None:
        """Return the path of a program, looked up in the system folders too; None without one."""
        return shutil.which(program, path=self._path())

    def exists(self, path: Path) -> bool:
        """Return whether there is such a file or folder."""
        return path.exists()

    def read(self, path: Path) -> str | None:
        """Return a file's text; None if it cannot be read."""
        # A dead child of this process is a zombie until it is polled, and a zombie
        # still has its files in /proc.
        for child in self._children.values():
            child.poll()
        try:
            return path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None

    def write(self, path: Path, text: str) -> None:
        """Write a file atomically, and create the folders above it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".new")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)

    def remove(self, path: Path) -> None:
        """Remove a file, if it exists."""
        path.unlink(missing_ok=True)

    def env(self, name: str) -> str:
        """Return the value of an environment variable; empty when it is not set."""
        return variables().get(name, "")

    def is_root(self) -> bool:
        """Return whether the effective user is root."""
        return os.geteuid() == 0

    def system(self) -> str:
        """Return the kernel's name: Linux, Darwin."""
        return platform.system()

    def now(self) -> float:
        """Return the seconds of the monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait for that number of seconds."""
        time.sleep(seconds)

    def state_dir(self) -> Path:
        """Return the user's state folder for kit. Raises InputError."""
        return state_folder()
