"""A session's facts as frozen values: what every report is derived from.

``Session`` is what the run log holds, read back. The log's first line is the
header (plan, images, fidelity, host, engine); every further line is one run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kit.gpu.facts import GpuCheck, GpuSample
from kit.images.fidelity import ArmImage, Component
from kit.measure.executable import ExecutableRun
from kit.measure.record import Record
from kit.plan.model import Plan


@dataclass(frozen=True)
class HostFacts:
    """The machine the driver ran on. Empty string or None: could not be told."""

    cpu_model: str
    cpus: int
    governor: str
    memory_bytes: int
    kernel: str
    operating_system: str
    virtualization: str
    engine: str
    cgroup_version: str


@dataclass(frozen=True)
class HostSample:
    """The host just before and after a run."""

    load_1m_before: float
    load_1m_after: float
    available_bytes_before: int
    steal_ticks: int | None
    """Clock ticks (1/100 s) stolen by the hypervisor during the run, all CPUs."""


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


@dataclass(frozen=True)
class RunEntry:
    """One finished run. ``record`` is None when the run failed; ``failure`` says how."""

    run_id: str
    block: int
    position: int
    arm: str
    kind: str
    image_id: str
    started_at: str
    finished_at: str
    exit_code: int | None
    failure: str | None
    log_tail: str
    """The end of the container's output; kept for failed runs only."""
    host: HostSample
    record: Record | None
    gpu: GpuSample | None = None
    """The GPU during the run of a CUDA arm; None for other arms."""


@dataclass(frozen=True)
class Session:
    """A run log, read back."""

    header: Header
    entries: tuple[RunEntry, ...]
    notes: tuple[str, ...] = ()
    """What reading the log had to leave out, e.g. a torn last line."""
    executable: ExecutableRun | None = None

    def timed(self) -> tuple[RunEntry, ...]:
        """The good timed runs, in the order they ran."""
        return tuple(e for e in self.entries if e.kind == "timed" and e.record is not None)

    def identity(self) -> Mapping[str, RunEntry]:
        """The good identity run of each arm (the last, if one was repeated)."""
        return {e.arm: e for e in self.entries if e.kind == "identity" and e.record is not None}
