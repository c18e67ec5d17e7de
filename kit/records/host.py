"""Facts about a machine as plain values, as a run log keeps them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EngineFacts:
    """The container engine, as it describes itself; empty: unknown."""

    name: str
    version: str
    endpoint: str
    storage_driver: str


@dataclass(frozen=True)
class HostFacts:
    """The machine the driver ran on. Empty string: unknown."""

    cpu_model: str
    cpus: int
    governor: str
    memory_bytes: int
    kernel: str
    operating_system: str
    virtualization: str
    engine: EngineFacts
    cgroup_version: str


@dataclass(frozen=True)
class HostConditions:
    """The host just before and after a run."""

    load_1m_before: float
    load_1m_after: float
    available_bytes_before: int
    steal_ticks: int | None
    """Clock ticks (1/100 s) stolen by the hypervisor during the run, all CPUs."""
    busy_cpus_before: float = 0.0
    """CPUs kept busy by other processes just before the run."""
    swapped_pages: int | None = None
    throttle_events: int | None = None
    """Number of times a core was slowed for heat during the run."""
    frequency_mhz_before: float | None = None
    frequency_mhz_after: float | None = None
    quota_throttled_us: int | None = None
    """Time for which a CPU quota held back the driver's own cgroup during the run."""
    other_containers: int = 0
    """Running containers that are not of this session, just before the run."""
    suspended_s: float | None = None
    """Seconds that the host slept during the run; None in older logs too."""
