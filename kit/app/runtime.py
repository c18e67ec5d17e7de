"""The runtime of a command: engine, host, clock and progress behind small interfaces."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from kit.engine.objects import Removed
from kit.engine.protocol import LOCK_LABEL, Engine, LineSink
from kit.errors import HostError
from kit.host.facts import Host
from kit.host.gpu.probe import GpuReader, NvmlProbe
from kit.host.network import HostNetwork
from kit.images.inspect.describe import Description
from kit.pins.load import Pins, shipped_pins

BUSY_READINGS = 12
BUSY_NAMED, BUSY_REFUSED = 0.1, 0.8
"""Fractions of all CPUs, used by others before a session, that warn and that refuse it."""


@dataclass(frozen=True)
class Runtime:
    """The engine, host and other effects of a command. ``describe`` describes an image by its id.

    ``free_disk`` returns the free bytes at the engine's folder of that name, None if unknown (a
    remote engine). ``lock_results`` locks a results folder until the command ends, or raises
    HostError that names the holder of the lock.
    """

    engine: Engine
    host: Host
    net: HostNetwork
    now: Callable[[], datetime]
    progress: Progress
    describe: Callable[[str], Description]
    free_disk: Callable[[str], int | None] = lambda _folder: None
    lock_results: Callable[[Path], None] = lambda _folder: None
    probe: GpuReader = field(default_factory=NvmlProbe)
    pins: Pins = field(default_factory=shipped_pins)
    build_output: LineSink = lambda _line: None
    """Gets every line that a builder of images prints."""
    allow_busy_host: bool = False
    """Measure although the machine is busy with something else."""


def sweep(engine: Engine, lock: str, say: Callable[[str], None]) -> None:
    """Remove the containers and volumes that killed kits with this lock's id left in the engine.

    Passes a line that names them to ``say``. Only the holder of the machine's lock may call this:
    no running kit then uses objects with the lock's id. Raises HostError.
    """
    removed = engine.remove_by_label(LOCK_LABEL, lock)
    if removed != Removed():
        say(f"removed {removed} that a killed session left")


def check_quiet(runtime: Runtime) -> int:
    """Return the host's available memory in bytes.

    Raises HostError if other processes keep the machine busy, unless the runtime allows it.
    """
    cpus = runtime.engine.info().cpus
    # The quietest of several readings: a single one may catch an engine's start or a cron job.
    now = runtime.host.read()
    for _ in range(BUSY_READINGS):
        if now.busy_cpus <= BUSY_NAMED * cpus:
            break
        now = min(now, runtime.host.read(), key=lambda reading: reading.busy_cpus)
    share = now.busy_cpus / max(cpus, 1)
    if share > BUSY_REFUSED and not runtime.allow_busy_host:
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
    """One running phase of a command, such as building images, whose progress is shown."""

    def step(self, text: str) -> None:
        """Show ``text`` as the phase's current step."""
        ...

    def detail(self, text: str) -> None:
        """Show ``text`` as the current step where that replaces the one before, else nothing."""
        ...

    def advance(self) -> None:
        """Count one of the phase's units as done."""
        ...

    def may_end(self, units: int, limit_s: float = math.inf) -> None:
        """Take note that the phase may end when so many units in all are done, not earlier.

        It ends ``limit_s`` seconds after its begin, if not before.
        """
        ...

    def say(self, text: str) -> None:
        """Print text that stays on the screen, such as the end of a failed run's output."""
        ...


class Progress(Protocol):
    """Progress of a command, phase by phase; kit.cli decides how it looks."""

    def phase(
        self,
        name: str,
        expected_s: Sequence[float] = (),
        go_on: str = "",
    ) -> AbstractContextManager[Phase]:
        """Begin a phase with at most so many units, each expected to take those seconds.

        ``go_on`` tells the user how to continue an interrupted phase; empty if the command
        starts over.
        """
        ...
