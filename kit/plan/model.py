"""A plan as frozen values: blocks of runs, in order, with everything they need."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PlannedRun:
    """One container to run. ``block`` is -1 for the identity runs, which come first."""

    run_id: str
    block: int
    position: int
    arm: str
    kind: str
    """"identity" or "timed"."""
    repeats: int
    seed: int | None
    """The workload's seed: set for identity runs, None for timed ones (as published)."""


@dataclass(frozen=True)
class Limits:
    """The same limits for every run of a plan."""

    cpuset: str
    memory_bytes: int
    timeout_s: float


@dataclass(frozen=True)
class Plan:
    """All runs of a session, in order. ``seed`` made the order."""

    study_id: str
    study_sha256: str
    tier: str
    seed: int
    arms: tuple[str, ...]
    blocks: int
    repeats: int
    limits: Limits
    runs: tuple[PlannedRun, ...]
    notes: tuple[str, ...]
    """Plain statements for the report, e.g. on repeats cut to fit memory."""
