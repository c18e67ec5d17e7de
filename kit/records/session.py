"""A session's facts as frozen values, from which every report is derived.

``Session`` is the content of a run log. The log's first line is the header (plan,
images, fidelity, host, engine); the lines after it are mostly runs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from kit.errors import InputError
from kit.plan.make import plan_sha256
from kit.plan.model import (
    ALTERNATING,
    DUET,
    EXPLAIN,
    FORM,
    IDENTITY,
    TIMED,
    BlockDesign,
    Kind,
    Note,
    Plan,
    PlannedRun,
)
from kit.plan.roles import MAIN, RoleName
from kit.plan.shard import Shard, runs_in_shard
from kit.records.gpu import GpuCheck, GpuTelemetry
from kit.records.host import HostConditions, HostFacts
from kit.records.images import ArmImage, Component, ExecutableRun
from kit.records.record import Record
from kit.study.model import Variant


@dataclass(frozen=True)
class MergedShard:
    """A shard of a merged session: its session id, its machine, and notes on it.

    ``differing`` names, by arm, the fields in which its identity run differs from the kept one.
    """

    shard: Shard
    session_id: str
    cpu_model: str
    cpus: int
    cpuset: str
    memory_bytes: int
    """The memory limit of a run."""
    gpu: str
    """The GPU's name; empty: none took part."""
    notes: tuple[Note, ...]
    torn: bool
    differing: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Header:
    """The description of a session, written once, before its first run."""

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
    """The check of the GPU for the CUDA arms; None: they were not requested."""
    shard: Shard | None = None
    """The part of the plan's blocks that this session measures; None: all."""
    shards: tuple[MergedShard, ...] = ()
    """The shards that a merged session consists of."""
    sboms: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each bill of materials, by its file name; empty: none was written."""
    executable: bool = False
    """Whether the executable was built, to be run once."""
    form: int = FORM
    """The form of the log; 6 has no looks, and another name for alternating blocks."""


@dataclass(frozen=True)
class RunEntry:
    """One finished run. ``record`` is None if the run failed; ``failure`` has the reason."""

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
    """Number of a duet: both runs of a block with this number ran at the same time."""
    machine: str = ""
    """Id of the machine, see ``kit.host.facts.machine_id``."""
    cpus: int | None = None
    """CPUs of that machine; None: those of the header's host."""

    @property
    def design(self) -> BlockDesign:
        """Return the design of the run's block."""
        return ALTERNATING if self.pair is None else DUET

    @property
    def seconds(self) -> float | None:
        """Return how many seconds the container ran, by the engine's times; None: unknown."""
        try:
            start, end = (moment(text) for text in (self.started_at, self.finished_at))
        except ValueError:
            return None
        if (start.tzinfo is None) != (end.tzinfo is None):
            return None
        return max((end - start).total_seconds(), 0.0)

    @property
    def awake_seconds(self) -> float | None:
        """Return ``seconds`` without the time the machine slept; None: unknown."""
        seconds, slept = self.seconds, self.host.suspended_s
        if seconds is None or slept is None:
            return seconds
        # A longer sleep was not inside the run, but just before its start or after its end.
        return seconds - slept if slept < seconds else seconds


def moment(text: str) -> datetime:
    """Return the time in RFC 3339 text, to the microsecond. Raise ValueError for other text."""
    # Engines write one to nine digits of a second, Python 3.10 reads three or six.
    digits = re.sub(r"\.(\d+)", lambda found: f".{found[1][:6]:0<6}", text)
    return datetime.fromisoformat(digits.replace("Z", "+00:00"))


Ending = Literal["settled", "last block", "futile", "minutes"]
"""Why a group-sequential session ended: its claim is settled, the plan has no further block, too
little is left to settle the claim, or the next block would exceed the minutes."""


@dataclass(frozen=True)
class LookedAt:
    """The lead claim of a variant at a look: its estimate and repeated interval, as gains."""

    variant: Variant
    claim: str
    pairs: int
    gain_percent: float | None
    low_percent: float | None
    high_percent: float | None
    word: str


@dataclass(frozen=True)
class Look:
    """A look at a group-sequential session after so many judged blocks, and logged runs.

    ``likely_blocks``: the number that probably settles the claim; None: none within the plan's,
    or the session ends here, for the reason ``ending``.
    """

    blocks: int
    runs: int
    lead: tuple[LookedAt, ...]
    likely_blocks: int | None
    ending: Ending | None


@dataclass(frozen=True)
class Piloted:
    """The state before a pilot fixed the plan: the header's plan, and the number of logged runs."""

    plan: Plan
    runs: int


@dataclass(frozen=True)
class Session:
    """The content of a run log."""

    header: Header
    entries: tuple[RunEntry, ...]
    torn: bool = False
    """Whether an interruption tore the log's last line, which is left out."""
    executable: ExecutableRun | None = None
    outlook: Mapping[str, Any] | None = None
    """The pilot's result when it fixed the number of blocks; None: no pilot, or not finished."""
    piloted: Piloted | None = None
    """The state of the log before a pilot fixed the plan; None: no pilot did."""
    looks: tuple[Look, ...] = ()
    """The looks of a group-sequential session so far, in order."""

    def with_plan(self, fixed: Plan, outlook: Mapping[str, Any]) -> Session:
        """Return the session with the plan that its pilot fixed, and the pilot's result."""
        header = replace(self.header, plan=fixed, plan_sha256=plan_sha256(fixed, self.header.form))
        piloted = Piloted(self.header.plan, len(self.entries))
        return replace(self, header=header, outlook=outlook, piloted=piloted)

    @property
    def ending(self) -> Ending | None:
        """Return why a group-sequential session ended; None: it has not, or has no such rule."""
        return self.looks[-1].ending if self.looks else None

    def due_runs(self) -> tuple[PlannedRun, ...]:
        """Return the shard's planned runs; of a group-sequential session those up to its end."""
        runs = runs_in_shard(self.header.plan.runs, self.header.shard)
        if self.ending is None:
            return runs
        end = self.header.plan.first_judged + self.looks[-1].blocks
        return tuple(run for run in runs if run.block < end)

    def must_compare(self) -> None:
        """Raise InputError if this session was made to explain another one."""
        if self.header.plan.purpose == EXPLAIN:
            raise InputError(
                f"session {self.header.session_id} explains another one and judges nothing",
                "name the session that it explains, whose report shows it",
            )

    @property
    def unfinished(self) -> bool:
        """Return whether a run that is still to be made has not been tried yet."""
        if self.ending is not None:
            return False
        tried = {entry.run_id for entry in self.entries}
        return any(run.run_id not in tried for run in self.header.plan.runs)

    def missing_runs(self) -> tuple[PlannedRun, ...]:
        """Return the planned runs of the shard without a valid entry, in the plan's order.

        A group-sequential session that has ended lacks none: a run made after its last look
        would change what that look has seen.
        """
        if self.ending is not None:
            return ()
        completed = self.completed_run_ids()
        runs = runs_in_shard(self.header.plan.runs, self.header.shard)
        return tuple(run for run in runs if run.run_id not in completed)

    def valid_entry_indices(self) -> frozenset[int]:
        """Return the indices of entries with a record whose partner, if any, has one too.

        The two runs of a pair are logged one after the other. If one of them failed, the other
        ran without its partner, so a later try of the failed one does not make it valid.
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
        """Return the ids of the runs that have a valid entry; kit does not make them again."""
        return frozenset(entry.run_id for entry in self.valid_entries())

    def timed(self) -> tuple[RunEntry, ...]:
        """Return the entries of timed runs that have a record, in the order they ran."""
        return tuple(e for e in self.entries if e.kind == TIMED and e.record is not None)

    def identity(self) -> Mapping[str, RunEntry]:
        """Return, by arm, the entry of the identity run with a record.

        ``kit.records.planned`` rejects a second one of the same arm.
        """
        return {e.arm: e for e in self.entries if e.kind == IDENTITY and e.record is not None}
