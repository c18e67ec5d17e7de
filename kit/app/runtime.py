"""Everything outside the pure core, behind small interfaces."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from kit.engine.objects import Removed
from kit.engine.protocol import LOCK_LABEL, Engine
from kit.errors import HostError
from kit.host.facts import Host
from kit.host.gpu.probe import NvmlProbe, Probe
from kit.host.network import HostNetwork
from kit.images.inspect.describe import Description

BUSY_READINGS = 12
BUSY_NAMED, BUSY_REFUSED = 0.1, 0.8
"""Of all CPUs, used by others before a session: said, and refused."""


@dataclass(frozen=True)
class Runtime:
    """Everything outside the pure core. ``describe`` reads the image of an id.

    ``free_disk`` gives the free bytes at the engine's folder of that name, None
    where that cannot be told (a remote engine). ``lock_results`` keeps others out of a results
    folder until the command ends, or raises HostError that names who works there.
    """

    engine: Engine
    host: Host
    net: HostNetwork
    now: Callable[[], datetime]
    progress: Progress
    describe: Callable[[str], Description]
    free_disk: Callable[[str], int | None] = lambda _folder: None
    lock_results: Callable[[Path], None] = lambda _folder: None
    probe: Probe = field(default_factory=NvmlProbe)


def sweep(engine: Engine, lock: str, say: Callable[[str], None]) -> None:
    """Remove what killed kits of this lock left; say what it was.

    For the holder of the machine's lock alone: no living kit uses what carries its id.
    Raises HostError.
    """
    removed = engine.remove_by_label(LOCK_LABEL, lock)
    if removed != Removed():
        say(f"removed {removed} that a killed session left")


def check_quiet(runtime: Runtime, allow_busy_host: bool) -> int:
    """Bytes of memory that are free. Refuses to begin on a machine that others keep busy."""
    cpus = runtime.engine.info().cpus
    # The quietest of several moments: one alone may be an engine's start or a cron job.
    now = runtime.host.read()
    for _ in range(BUSY_READINGS):
        if now.busy_cpus <= BUSY_NAMED * cpus:
            break
        now = min(now, runtime.host.read(), key=lambda reading: reading.busy_cpus)
    share = now.busy_cpus / max(cpus, 1)
    if share > BUSY_REFUSED and not allow_busy_host:
        raise HostError(
            f"the machine is busy: others use {now.busy_cpus:.1f} of {cpus} CPUs",
            "wait until it is quiet, or measure all the same with --allow-busy-host",
        )
    if share > BUSY_NAMED:
        with runtime.progress.phase("host") as phase:
            phase.say(
                f"the machine is not quiet: others use {now.busy_cpus:.1f} of {cpus} CPUs; "
                "runs under disturbance are flagged in the report"
            )
    return now.available_bytes


class Phase(Protocol):
    """One phase of the pipeline, under way."""

    def step(self, text: str) -> None:
        """What is being done now."""
        ...

    def advance(self) -> None:
        """One of the phase's units is done."""
        ...

    def say(self, text: str) -> None:
        """Something to keep on the screen, such as the end of a failed run's output."""
        ...


class Progress(Protocol):
    """Says what is being done, phase by phase; kit.cli decides how it looks."""

    def phase(
        self,
        name: str,
        total: int | None = None,
        expected_s: float | None = None,
        go_on: str = "",
    ) -> AbstractContextManager[Phase]:
        """Begin a phase of ``total`` units, expected to take so many seconds.

        ``go_on`` is what takes up an interrupted phase where it was; empty where the
        command begins anew.
        """
        ...
