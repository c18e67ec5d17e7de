"""kit's own dockerd, for machines without an init to start one: start, record, end it."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from kit.engine.connection import message_line
from kit.errors import HostError
from kit.host.setup.machine import Machine

Say = Callable[[str], None]
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 40.0
"""dockerd gives its containers 15 s to end before it ends itself."""
_POLL_S = 0.25
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class DaemonProcess:
    """The identity of a process: another one may get its pid later, with another start time.

    ``started`` is in clock ticks since boot; ``boot`` is the id of the boot.
    """

    pid: int
    started: int
    boot: str


def record_path(machine: Machine) -> Path:
    """Return the path of the file that records that kit started an engine, and how."""
    return machine.state_dir() / "engine.json"


def log_path(machine: Machine) -> Path:
    """Return the path of the file with the output of the dockerd that kit started."""
    return machine.state_dir() / "dockerd.log"


def start(machine: Machine, answers: Callable[[], bool], say: Say) -> None:
    """Start dockerd and wait until ``answers`` returns True.

    Raises HostError with the reason in its log if it does not.
    """
    log = log_path(machine)
    say(f"starting dockerd (log: {log})")
    pid = machine.spawn(["dockerd"], log)
    process = identify(machine, pid)
    if process is not None:
        machine.write(
            record_path(machine), json.dumps({"method": "dockerd", "process": asdict(process)})
        )
    deadline = machine.now() + START_TIMEOUT_S
    while process is not None and machine.now() < deadline:
        if answers():
            say(f"dockerd answers (pid {pid})")
            return
        if not is_alive(machine, process):
            process = None
        else:
            machine.sleep(_POLL_S)
    if process is None:
        why = "dockerd ended at once"
    else:
        why = f"dockerd did not answer within {START_TIMEOUT_S:g} s"
        end(machine, process)
    machine.remove(record_path(machine))
    raise HostError(
        f"{why}: {why_it_failed(machine.read(log) or '')}",
        f"solve what the log says ({log}), or use another engine through DOCKER_HOST",
    )


def end(machine: Machine, process: DaemonProcess) -> bool:
    """End exactly that dockerd and the containerd it started; return whether it ran.

    Raises HostError if it cannot be ended.
    """
    if not is_alive(machine, process):
        return False
    family = [process, *_children(machine, process.pid)]
    machine.kill(process.pid, signal.SIGTERM)
    if not _wait_for_end(machine, family, STOP_TIMEOUT_S):
        for member in family:
            if is_alive(machine, member):
                machine.kill(member.pid, signal.SIGKILL)
        if not _wait_for_end(machine, family, 5.0):
            raise HostError(
                f"dockerd (pid {process.pid}) does not end",
                "look at what it waits for: ps -o stat,wchan -p " + str(process.pid),
            )
    return True


def recorded(machine: Machine) -> tuple[str, DaemonProcess | None]:
    """Return how kit started an engine ("" if it did not, "dockerd", "systemd") and its process.

    The process is None where it is not recorded.
    """
    try:
        record = json.loads(machine.read(record_path(machine)) or "{}")
        method = str(record.get("method", ""))
        process = record.get("process")
        return method, DaemonProcess(
            int(process["pid"]), int(process["started"]), str(process["boot"])
        ) if process else None
    except (ValueError, KeyError, TypeError, AttributeError):
        # A broken record does not identify a process, so kit must not kill one.
        return "", None


def identify(machine: Machine, pid: int) -> DaemonProcess | None:
    """Return the process that has this pid now; None when there is none (or a dead one)."""
    text = machine.read(Path(f"/proc/{pid}/stat"))
    if not text:
        return None
    # The second field is the program's name in parentheses and may hold anything.
    fields = text.rpartition(")")[2].split()
    if len(fields) < 20 or fields[0] in {"Z", "X"}:
        return None
    return DaemonProcess(pid, int(fields[19]), (machine.read(_BOOT_ID) or "").strip())


def is_alive(machine: Machine, process: DaemonProcess) -> bool:
    """Return whether exactly that process runs, not another one with its pid."""
    return identify(machine, process.pid) == process


def why_it_failed(log: str) -> str:
    """Return the last fatal line of dockerd's log, else its last lines, as one line."""
    lines = [line for line in log.splitlines() if line.strip()]
    telling = [
        line
        for line in lines
        if "failed to start daemon" in line.lower() or "level=fatal" in line or "panic:" in line
    ]
    return message_line(
        telling[-1] if telling else " | ".join(lines[-3:]) or "its log is empty", 600
    )


def _children(machine: Machine, pid: int) -> list[DaemonProcess]:
    named = machine.children(pid).items()
    found = (identify(machine, child) for child, name in named if "containerd" in name)
    return [process for process in found if process is not None]


def _wait_for_end(machine: Machine, family: list[DaemonProcess], timeout_s: float) -> bool:
    deadline = machine.now() + timeout_s
    while any(is_alive(machine, member) for member in family):
        if machine.now() >= deadline:
            return False
        machine.sleep(_POLL_S)
    return True
