"""A session's facts as frozen values: what every report is derived from.

``Session`` is what the run log holds, read back. The log's first line is the
header (plan, images, fidelity, host, engine); every further line is one run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kit.errors import InputError
from kit.plan.model import (
    DUET,
    EXPLAIN,
    IDENTITY,
    SEQUENTIAL,
    TIMED,
    BlockDesign,
    Kind,
    Note,
    Plan,
    PlannedRun,
)
from kit.plan.roles import MAIN, RoleName
from kit.plan.shard import Shard, of_shard
from kit.records.gpu import GpuCheck, GpuTelemetry
from kit.records.host import HostConditions, HostFacts
from kit.records.images import ArmImage, Component, ExecutableRun
from kit.records.record import Record


@dataclass(frozen=True)
class MergedShard:
    """A shard of a merged session: its own session, where it was made, what to know of it.

    ``differing`` names, by arm, what its identity run has otherwise than the one that is kept.
    """

    shard: Shard
    session_id: str
    cpu_model: str
    cpus: int
    cpuset: str
    memory_bytes: int
    """Of a run."""
    gpu: str
    """Its name; empty: none took part."""
    notes: tuple[Note, ...]
    torn: bool
    differing: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Header:
    """What a session is: written once, before its first run."""

    session_id: str
    kit_version: str
    created: str
    command: str
    """The command line that repeats this session."""
    plan: Plan
    plan_sha256: str
    images: Mapping[str, ArmImage]
    fidelity: tuple[Component, ...]
    host: HostFacts
    gpu: GpuCheck | None = None
    """What came of asking for the CUDA arms; None: they were not asked for."""
    shard: Shard | None = None
    """Which part of the plan's blocks was made; None: all."""
    shards: tuple[MergedShard, ...] = ()
    """Of a merged session: the shards it was put together from."""
    sboms: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each bill of materials, by its file name; empty: none was written."""
    executable: bool = False
    """Whether the executable was built, to be run once."""


@dataclass(frozen=True)
class RunEntry:
    """One finished run. ``record`` is None when the run failed; ``failure`` says how."""

    run_id: str
    block: int
    position: int
    arm: str
    kind: Kind
    image_id: str
    started_at: str
    finished_at: str
    exit_code: int | None
    failure: str | None
    log_tail: str
    """The end of the container's output; kept for failed runs only."""
    host: HostConditions
    record: Record | None
    gpu: GpuTelemetry | None = None
    """The GPU during the run of a CUDA arm; None for other arms."""
    role: RoleName = MAIN
    pair: int | None = None
    """Of a duet: the run of the same block with the same number went on at the same time."""
    machine: str = ""
    """Which machine it was, see ``kit.host.facts.machine_id``."""
    cpus: int | None = None
    """CPUs of that machine; None: those of the header's host."""

    @property
    def design(self) -> BlockDesign:
        """The design of the run's block."""
        return SEQUENTIAL if self.pair is None else DUET

    @property
    def seconds(self) -> float | None:
        """How long the container was there, by the engine's times; None: not told."""
        try:
            start, end = (moment(text) for text in (self.started_at, self.finished_at))
        except ValueError:
            return None
        if (start.tzinfo is None) != (end.tzinfo is None):
            return None
        return max((end - start).total_seconds(), 0.0)

    @property
    def awake_seconds(self) -> float | None:
        """``seconds`` without those in which the machine slept; None: not told."""
        seconds, slept = self.seconds, self.host.suspended_s
        if seconds is None or slept is None:
            return seconds
        # A longer sleep was not inside the run, but just before its start or after its end.
        return seconds - slept if slept < seconds else seconds


def moment(text: str) -> datetime:
    """The time in RFC 3339 text, to the microsecond. Raises ValueError."""
    # Engines write one to nine digits of a second, Python 3.10 reads three or six.
    digits = re.sub(r"\.(\d+)", lambda found: f".{found[1][:6]:0<6}", text)
    return datetime.fromisoformat(digits.replace("Z", "+00:00"))


@dataclass(frozen=True)
class Piloted:
    """What a pilot began with: the header's plan, and how many runs were logged by it."""

    plan: Plan
    runs: int


@dataclass(frozen=True)
class Session:
    """A run log, read back."""

    header: Header
    entries: tuple[RunEntry, ...]
    torn: bool = False
    """Whether an interruption tore the log's last line, which is left out."""
    executable: ExecutableRun | None = None
    outlook: Mapping[str, Any] | None = None
    """What the pilot said when the number of blocks was fixed; None: there was no pilot,
    or it is not done."""
    piloted: Piloted | None = None
    """What stood in the log before a pilot fixed the plan; None: none did."""

    def must_compare(self) -> None:
        """Raise InputError for a session that was made to explain another one."""
        if self.header.plan.purpose == EXPLAIN:
            raise InputError(
                f"session {self.header.session_id} explains another one and judges nothing",
                "name the session it was made beside, whose report shows it",
            )

    @property
    def unfinished(self) -> bool:
        """Whether a planned run was not even tried yet."""
        tried = {entry.run_id for entry in self.entries}
        return any(run.run_id not in tried for run in self.header.plan.runs)

    def missing_runs(self) -> tuple[PlannedRun, ...]:
        """Return the planned runs of its shard without a valid entry, in the plan's order."""
        completed = self.completed_run_ids()
        runs = of_shard(self.header.plan.runs, self.header.shard)
        return tuple(run for run in runs if run.run_id not in completed)

    def valid_entry_indices(self) -> frozenset[int]:
        """Return the indices of the entries with a record and, of a pair, its other beside it.

        The two of a pair are logged one after the other. Where one of them failed, the
        other's time is one without its partner, whatever a later try of that gives.
        """
        found: set[int] = set()
        for index, entry in enumerate(self.entries):
            if entry.record is None:
                continue
            if entry.pair is None:
                found.add(index)
                continue
            first = self.entries[index - 1] if index else None
            if (
                first is not None
                and first.record is not None
                and (first.block, first.pair) == (entry.block, entry.pair)
                and first.position < entry.position
            ):
                found |= {index - 1, index}
        return frozenset(found)

    def valid_entries(self) -> tuple[RunEntry, ...]:
        """Return the entries of ``valid_entry_indices``, in the order they ran."""
        return tuple(self.entries[index] for index in sorted(self.valid_entry_indices()))

    def completed_run_ids(self) -> frozenset[str]:
        """Return the ids of the runs that have a valid entry, and need not be made again."""
        return frozenset(entry.run_id for entry in self.valid_entries())

    def timed(self) -> tuple[RunEntry, ...]:
        """The good timed runs, in the order they ran."""
        return tuple(e for e in self.entries if e.kind == TIMED and e.record is not None)

    def identity(self) -> Mapping[str, RunEntry]:
        """The good identity run of each arm; ``kit.records.planned`` refuses a second one."""
        return {e.arm: e for e in self.entries if e.kind == IDENTITY and e.record is not None}
