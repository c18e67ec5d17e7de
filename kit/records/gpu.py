"""GPUs and the checks and readings of them, as plain values. None: unknown to the driver."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class GpuProcess:
    """A process that has a context on a GPU. ``memory_bytes`` is its GPU memory."""

    pid: int
    memory_bytes: int | None


@dataclass(frozen=True)
class Gpu:
    """One GPU at one moment. Bytes, MHz, degrees Celsius, watts, percent.

    ``throttle`` holds the reasons that limit its clocks now, by the names of
    ``REASONS``.
    """

    index: int
    name: str
    uuid: str
    driver: str
    compute_capability: tuple[int, int]
    memory_total_bytes: int
    memory_free_bytes: int
    sm_mhz: int | None
    memory_mhz: int | None
    temperature_c: int | None
    power_w: float | None
    utilisation_percent: int | None
    throttle: tuple[str, ...]
    processes: tuple[GpuProcess, ...]


@dataclass(frozen=True)
class GpuIssue:
    """A problem or warning about the GPU, and its remedy: one line each."""

    what: str
    remedy: str


@dataclass(frozen=True)
class DetectedGpus:
    """The GPUs of this machine. ``missing`` says why there are none, and what to do."""

    gpus: tuple[Gpu, ...] = ()
    missing: GpuIssue | None = None


@dataclass(frozen=True)
class GpuCheck:
    """The check of this machine's GPUs for the requested CUDA arms.

    ``arms`` are the requested ones. ``chosen`` is the UUID of the GPU they all run on,
    ``request`` the engine's name for it. A problem keeps the arms from running;
    a warning does not. ``first_start_s`` is how long compiling for this GPU may take.
    """

    arms: tuple[str, ...]
    gpus: tuple[Gpu, ...]
    chosen: str | None
    request: str
    problems: tuple[GpuIssue, ...]
    warnings: tuple[GpuIssue, ...]
    first_start_s: float = 0.0

    @property
    def gpu(self) -> Gpu | None:
        """Return the chosen GPU as it was found; None: none was chosen."""
        return next((gpu for gpu in self.gpus if gpu.uuid == self.chosen), None)

    @property
    def untestable(self) -> tuple[str, ...]:
        """Return the requested CUDA arms that cannot run here."""
        return self.arms if self.problems else ()


@dataclass(frozen=True)
class GpuTelemetry:
    """The chosen GPU over one run: just before it, every second, just after.

    ``sm_mhz_min`` leaves out readings in which the GPU was idle. ``failures`` are
    readings that could not be taken, each reason once.
    """

    uuid: str
    name: str
    driver: str
    readings: int
    sm_mhz_min: int | None
    sm_mhz_max: int | None
    temperature_max_c: int | None
    power_max_w: float | None
    power_mean_w: float | None
    memory_max_bytes: int | None
    throttle: tuple[str, ...]
    pids: tuple[int, ...]
    failures: tuple[str, ...]


def check_from(document: Mapping[str, Any]) -> GpuCheck:
    """Return the check in a JSON document. Raise KeyError or TypeError for another document."""
    values = dict(document)
    values["arms"] = tuple(values["arms"])
    values["gpus"] = tuple(_gpu(gpu) for gpu in values["gpus"])
    for name in ("problems", "warnings"):
        values[name] = tuple(GpuIssue(**issue) for issue in values[name])
    return GpuCheck(**values)


def telemetry_from(document: Mapping[str, Any]) -> GpuTelemetry:
    """Return the telemetry in a JSON document. Raise KeyError or TypeError for another one."""
    values = dict(document)
    for name in ("throttle", "pids", "failures"):
        values[name] = tuple(values[name])
    return GpuTelemetry(**values)


def _gpu(document: Mapping[str, Any]) -> Gpu:
    values = dict(document)
    major, minor = values["compute_capability"]
    values["compute_capability"] = (major, minor)
    values["throttle"] = tuple(values["throttle"])
    values["processes"] = tuple(GpuProcess(**process) for process in values["processes"])
    return Gpu(**values)


IDLE = "GPU idle"
REASONS: Mapping[int, str] = {
    0x001: IDLE,
    0x002: "applications clocks setting",
    0x004: "software power cap",
    0x008: "hardware slowdown",
    0x010: "sync boost",
    0x020: "software thermal slowdown",
    0x040: "hardware thermal slowdown",
    0x080: "hardware power brake slowdown",
    0x100: "display clock setting",
}
"""Why a GPU's clocks are limited. Names and bits are NVML's ("NvmlClocksEventReasons" of
NVIDIA's NVML API reference, docs.nvidia.com/deploy/nvml-api)."""
HARMFUL = (
    "hardware slowdown",
    "software thermal slowdown",
    "hardware thermal slowdown",
    "hardware power brake slowdown",
)
"""A run is flagged as throttled when the hardware or the driver slowed the GPU down to protect
it. Idle clocks, set clocks and display clocks are not throttling."""
MILD = ("software power cap",)
"""A busy GPU at its power limit works as configured: reports only show it."""


def throttle_reasons(bits: int) -> tuple[str, ...]:
    """Return the names of throttle reasons in NVML's bit mask; unknown bits become one number."""
    known = [name for bit, name in REASONS.items() if bits & bit]
    other = bits & ~sum(REASONS)
    return (*known, f"unknown (0x{other:x})") if other else tuple(known)


def harmful(reasons: Iterable[str]) -> tuple[str, ...]:
    """Return those throttle reasons that make a run's times doubtful."""
    seen = set(reasons)
    return tuple(name for name in HARMFUL if name in seen)


def mild(reasons: Iterable[str]) -> tuple[str, ...]:
    """Return those throttle reasons that reports show without flagging the run."""
    seen = set(reasons)
    return tuple(name for name in MILD if name in seen)
