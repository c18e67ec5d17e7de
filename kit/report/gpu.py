"""The GPU of a session, for every report format."""

from __future__ import annotations

from dataclasses import dataclass

from kit.judge.comparison import Judgement
from kit.judge.devices import DeviceRatio, device_ratios
from kit.plan.model import IDENTITY
from kit.records.gpu import GpuCheck, GpuTelemetry, harmful, mild
from kit.records.session import Session
from kit.study.model import Study


@dataclass(frozen=True)
class Placement:
    """The devices that did an arm's work, by its records.

    Ops are those of its identity run's training graph; ``peak_bytes`` is the most
    GPU memory that TensorFlow held in any run.
    """

    arm: str
    device: str
    gpu_ops: int | None
    cpu_ops: int | None
    peak_bytes: int | None


@dataclass(frozen=True)
class GpuRun:
    """The state of the GPU during one run.

    ``throttled``: reasons that make the run's times doubtful; ``limited``: harmless ones.
    """

    run_id: str
    arm: str
    sample: GpuTelemetry
    throttled: tuple[str, ...]
    limited: tuple[str, ...]


@dataclass(frozen=True)
class GpuReport:
    """The part of a report about the GPU, for a session with CUDA arms."""

    check: GpuCheck
    placements: tuple[Placement, ...]
    runs: tuple[GpuRun, ...]
    ratios: tuple[DeviceRatio, ...]

    @property
    def throttled(self) -> tuple[GpuRun, ...]:
        """Return the runs during which the GPU was throttled; they are kept."""
        return tuple(run for run in self.runs if run.throttled)

    @property
    def flag_line(self) -> str:
        """Return the warning to show before any verdict on a CUDA arm; empty for none."""
        if not self.throttled:
            return ""
        return (
            f"The GPU was throttled during {len(self.throttled)} of {len(self.runs)} CUDA runs; "
            "kit keeps and marks them."
        )


def gpu_report(session: Session, judged: Judgement, study: Study) -> GpuReport | None:
    """Return the GPU's part of the report; None if no GPU was requested.

    Raise InputError for two arms of the same stack and variant.
    """
    check = session.header.gpu
    if check is None:
        return None
    arms = session.header.plan.arms
    return GpuReport(
        check=check,
        placements=tuple(_placement(session, arm) for arm in arms),
        runs=tuple(
            GpuRun(
                run_id=entry.run_id,
                arm=entry.arm,
                sample=entry.gpu,
                throttled=harmful(entry.gpu.throttle),
                limited=mild(entry.gpu.throttle),
            )
            for entry in session.entries
            if entry.gpu is not None
        ),
        ratios=device_ratios(judged.main_runs, arms, study, session.header.plan.looks),
    )


def _placement(session: Session, arm: str) -> Placement:
    records = [e.record for e in session.entries if e.arm == arm and e.record is not None]
    ops = next((r.device.ops for r in reversed(records) if r.kind == IDENTITY), None)
    names = {r.device.name or r.device.kind.upper() for r in records}
    peaks = [r.device.peak_bytes for r in records if r.device.peak_bytes is not None]
    return Placement(
        arm=arm,
        device=", ".join(sorted(names)),
        gpu_ops=None if ops is None else ops.get("GPU", 0),
        cpu_ops=None if ops is None else ops.get("CPU", 0),
        peak_bytes=max(peaks, default=None),
    )
