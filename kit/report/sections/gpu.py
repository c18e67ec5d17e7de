"""The section on the GPU: problems, proof of its work, each run, CPU against GPU."""

from __future__ import annotations

from collections.abc import Sequence

from kit.records.gpu import Gpu, GpuIssue, GpuTelemetry
from kit.report.document import Block, Code, List, Paragraph, Strong, Table, Text, Tone, facts
from kit.report.gpu import GpuReport, GpuRun
from kit.report.left_out import estimate_note
from kit.report.model import ReportModel
from kit.report.numbers import NONE, fixed, gigabytes, megabytes, ratio

_PLACEMENTS = (
    "Devices on which TensorFlow placed the work of each arm (ops: those in the training graph of "
    "the identity run):"
)
_RATIOS = (
    "CPU time divided by GPU time: ratio of the warm medians over blocks with its 95 % interval. "
    "Above 1 the GPU is faster. The publication makes no such claim."
)


def gpu(model: ReportModel) -> tuple[Block, ...]:
    """Return the section; empty if no GPU was requested."""
    part = model.gpu
    if part is None:
        return ()
    return (
        *_missing(part),
        *((Paragraph("Warnings:"), _issues(part.check.warnings)) if part.check.warnings else ()),
        *((_found(part.check.gpu, len(part.check.gpus)),) if part.check.gpu is not None else ()),
        *((*_placements(part), *_runs(part)) if part.runs else ()),
        *(_ratios(part) if part.ratios else ()),
    )


def summary(part: GpuReport) -> tuple[tuple[str, str], ...]:
    """Return rows on the GPU for the table of the host."""
    chosen = part.check.gpu
    if chosen is None:
        return (("GPU", "not available to the CUDA arms"),)
    rows = [("GPU", f"{chosen.name}, driver {chosen.driver}")]
    clocks = [
        mhz
        for run in part.runs
        for mhz in (run.sample.sm_mhz_min, run.sample.sm_mhz_max)
        if mhz is not None
    ]
    if clocks:
        rows.append(("GPU clocks in CUDA runs", f"SM {_between(min(clocks), max(clocks))} MHz"))
    return tuple(rows)


def _missing(part: GpuReport) -> tuple[Block, ...]:
    if not part.check.problems:
        return ()
    arms = ", ".join(part.check.arms)
    note = Strong(f"The CUDA arms ({arms}) are not testable here.")
    return Paragraph((note, " Missing:")), _issues(part.check.problems)


def _issues(issues: Sequence[GpuIssue]) -> List:
    return List(tuple((f.what, ". Remedy: ", f.remedy) for f in issues))


def _found(chosen: Gpu, count: int) -> Table:
    major, minor = chosen.compute_capability
    total, free = (gigabytes(n) for n in (chosen.memory_total_bytes, chosen.memory_free_bytes))
    return facts(
        (
            ("GPU", f"{chosen.name} (index {chosen.index}, {count} on this host)"),
            ("UUID", chosen.uuid),
            ("driver", chosen.driver),
            ("compute capability", f"{major}.{minor}"),
            ("memory", f"{total}, {free} free before the session"),
        )
    )


def _placements(part: GpuReport) -> tuple[Block, ...]:
    rows = tuple(
        (
            p.arm,
            p.device or NONE,
            NONE if p.gpu_ops is None else str(p.gpu_ops),
            NONE if p.cpu_ops is None else str(p.cpu_ops),
            megabytes(p.peak_bytes),
        )
        for p in part.placements
    )
    header = ("arm", "device", "ops on GPU", "ops on CPU", "GPU memory held, peak (MB)")
    return Paragraph(_PLACEMENTS), Table(header, rows)


def _runs(part: GpuReport) -> tuple[Block, ...]:
    header = (
        "run", "SM clock (MHz)", "temperature (°C)", "power, mean / max (W)", "memory used (MB)",
        "processes", "clocks limited by", "flag",
    )  # fmt: skip
    note = f"The GPU was not throttled in any of {len(part.runs)} CUDA runs."
    if part.throttled:
        note = f"{part.flag_line} Excluding them would bias the results."
    blocks: tuple[Block, ...] = Table(header, tuple(map(_run, part.runs))), Paragraph(note)
    failures = dict.fromkeys(reason for run in part.runs for reason in run.sample.failures)
    if not failures:
        return blocks
    return *blocks, Paragraph("Failed readings:"), List(tuple(failures))


def _run(run: GpuRun) -> tuple[Text, ...]:
    telemetry = run.sample
    return (
        Code(run.run_id),
        _between(telemetry.sm_mhz_min, telemetry.sm_mhz_max),
        NONE if telemetry.temperature_max_c is None else str(telemetry.temperature_max_c),
        _power(telemetry),
        megabytes(telemetry.memory_max_bytes),
        str(len(telemetry.pids)),
        ", ".join(telemetry.throttle) or NONE,
        Strong("throttled", Tone.BAD) if run.throttled else NONE,
    )


def _between(low: int | None, high: int | None) -> str:
    if low is None or high is None:
        return NONE
    return str(low) if low == high else f"{low} to {high}"


def _power(telemetry: GpuTelemetry) -> str:
    if telemetry.power_mean_w is None or telemetry.power_max_w is None:
        return NONE
    return f"{fixed(telemetry.power_mean_w)} / {fixed(telemetry.power_max_w)}"


def _ratios(part: GpuReport) -> tuple[Block, ...]:
    rows = tuple(
        (
            r.stack,
            r.cpu,
            r.cuda,
            str(r.estimate.pairs),
            ratio(r.estimate),
            estimate_note(r.estimate) or NONE,
        )
        for r in part.ratios
    )
    header = ("stack", "CPU arm", "CUDA arm", "blocks", "ratio CPU/GPU", "note")
    return Paragraph(_RATIOS), Table(header, rows)
