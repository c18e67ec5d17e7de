"""A made-up machine for the tests of setup: no command is run, nothing is changed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kit.host.process import CommandResult

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n'
UBUNTU = 'PRETTY_NAME="Ubuntu 24.04"\nID=ubuntu\nID_LIKE=debian\n'
BOOT = "boot-1"


@dataclass
class FakeMachine:
    """Scripted commands and a /proc of its own; time goes on only by sleeping.

    ``answers`` maps the start of a command line to what it gives, first match
    first; anything else succeeds with no output. ``ignores_term``: pids that end
    by SIGKILL only. ``on_spawn`` says whether a spawned daemon lives.
    """

    os_release: str = DEBIAN
    root: bool = True
    kernel: str = "Linux"
    systemd: bool = False
    programs: set[str] = field(default_factory=set)
    environment: dict[str, str] = field(default_factory=dict)
    answers: dict[str, CommandResult | Callable[[], CommandResult]] = field(default_factory=dict)
    files: dict[Path, str] = field(default_factory=dict)
    alive: dict[int, int] = field(default_factory=dict)
    """Start ticks by pid."""
    family: dict[int, dict[int, str]] = field(default_factory=dict)
    ignores_term: set[int] = field(default_factory=set)
    daemon_lives: bool = True
    daemon_log: str = ""
    commands: list[str] = field(default_factory=list)
    environments: list[Mapping[str, str]] = field(default_factory=list)
    spawned: list[str] = field(default_factory=list)
    signals: list[tuple[int, int]] = field(default_factory=list)
    clock: float = 0.0
    _pids: itertools.count[int] = field(default_factory=lambda: itertools.count(100))

    def __post_init__(self) -> None:
        self.files[Path("/etc/os-release")] = self.os_release
        self.files[Path("/proc/sys/kernel/random/boot_id")] = BOOT + "\n"
        if self.systemd:
            self.files[Path("/run/systemd/system")] = ""

    def run(
        self, command: Sequence[str], timeout_s: float, env: Mapping[str, str]
    ) -> CommandResult:
        line = " ".join(command)
        self.commands.append(line)
        self.environments.append(env)
        for start, answer in self.answers.items():
            if start in line:
                return answer() if callable(answer) else answer
        if "install" in line and "docker.io" in line:
            self.programs |= {"dockerd", "iptables"}
        if line.startswith("apt-cache policy"):
            return CommandResult(0, "x:\n  Installed: (none)\n  Candidate: 1.0\n")
        return CommandResult(0, "")

    def spawn(self, command: Sequence[str], log: Path) -> int:
        pid = next(self._pids)
        self.spawned.append(" ".join(command))
        self.files[log] = self.daemon_log
        if self.daemon_lives:
            self.alive[pid] = 5000 + pid
        return pid

    def kill(self, pid: int, signal: int) -> None:
        self.signals.append((pid, signal))
        if signal == 9 or pid not in self.ignores_term:
            self.alive.pop(pid, None)
            for child in self.family.get(pid, {}):
                if child not in self.ignores_term:
                    self.alive.pop(child, None)

    def children(self, pid: int) -> Mapping[int, str]:
        return self.family.get(pid, {})

    def which(self, program: str) -> str | None:
        return f"/usr/sbin/{program}" if program in self.programs else None

    def exists(self, path: Path) -> bool:
        return path in self.files

    def read(self, path: Path) -> str | None:
        if path.name == "stat" and path.parts[1] == "proc":
            pid = int(path.parts[2])
            if pid not in self.alive:
                return None
            return f"{pid} (docker) d) S {'0 ' * 18}{self.alive[pid]} 0 0"
        return self.files.get(path)

    def write(self, path: Path, text: str) -> None:
        self.files[path] = text

    def remove(self, path: Path) -> None:
        self.files.pop(path, None)

    def env(self, name: str) -> str:
        return self.environment.get(name, "")

    def is_root(self) -> bool:
        return self.root

    def system(self) -> str:
        return self.kernel

    def now(self) -> float:
        return self.clock

    def sleep(self, seconds: float) -> None:
        self.clock += seconds

    def state_dir(self) -> Path:
        return Path("/state/kit")
