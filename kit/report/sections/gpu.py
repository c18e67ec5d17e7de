"""The GPU: what is missing or to be known, proof of its work, each run, CPU against GPU."""

from __future__ import annotations

from collections.abc import Sequence

from kit.gpu.facts import Finding, Gpu, GpuSample
from kit.report.gpu import GpuReport, GpuRun
from kit.report.model import ReportModel
from kit.report.numbers import NONE, fixed, gigabytes, megabytes, ratio
from kit.report.tables import bullets, facts, table
from kit.report.text import code, inline

_LONG = 600


def gpu(model: ReportModel) -> str:
    """The whole section; empty where no GPU was asked for."""
    part = model.gpu
    if part is None:
        return ""
    parts = []
    if part.check.problems:
        arms = inline(", ".join(part.check.arms))
        parts.append(f"**The CUDA arms ({arms}) could not be tested here.** What is missing:")
        parts.append(_findings(part.check.problems))
    if part.check.warnings:
        parts += ["Warnings:", _findings(part.check.warnings)]
    if part.check.gpu is not None:
        parts.append(_found(part.check.gpu, len(part.check.gpus)))
    if part.runs:
        parts += [_placements(part), _runs(part)]
    if part.ratios:
        parts.append(_ratios(part))
    return "\n\n".join(parts)


def summary(part: GpuReport) -> tuple[tuple[str, str], ...]:
    """Rows for the table of the host; values are made safe there."""
    chosen = part.check.gpu
    if chosen is None:
        return (("GPU", "none that the CUDA arms could use"),)
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


def _findings(findings: Sequence[Finding]) -> str:
    return bullets(
        [f"{inline(f.what, _LONG)}. Remedy: {inline(f.remedy, _LONG)}" for f in findings]
    )


def _found(chosen: Gpu, count: int) -> str:
    major, minor = chosen.compute_capability
    total, free = (gigabytes(n) for n in (chosen.memory_total_bytes, chosen.memory_free_bytes))
    return facts(
        [
            ("GPU", f"{chosen.name} (number {chosen.index} of {count} here)"),
            ("UUID", chosen.uuid),
            ("driver", chosen.driver),
            ("compute capability", f"{major}.{minor}"),
            ("memory", f"{total}, {free} free before the session"),
        ]
    )


def _placements(part: GpuReport) -> str:
    rows = [
        [
            inline(p.arm),
            inline(p.device) or NONE,
            NONE if p.gpu_ops is None else str(p.gpu_ops),
            NONE if p.cpu_ops is None else str(p.cpu_ops),
            megabytes(p.peak_bytes),
        ]
        for p in part.placements
    ]
    headers = ["arm", "device", "ops on GPU", "ops on CPU", "GPU memory held, peak (MB)"]
    return (
        f"Which device did the work, as TensorFlow placed it (ops: the training graph of the "
        f"identity run):\n\n{table(headers, rows, 'llrrr')}"
    )


def _runs(part: GpuReport) -> str:
    rows = [_run(run) for run in part.runs]
    headers = [
        "run", "SM clock (MHz)", "heat (C)", "power mean / most (W)", "memory used (MB)",
        "processes", "clocks limited by", "flag",
    ]  # fmt: skip
    said = (
        f"{part.flag_line} Leaving them out would choose among the results."
        if part.throttled
        else f"The GPU was slowed down in none of {len(part.runs)} CUDA runs."
    )
    failures = dict.fromkeys(reason for run in part.runs for reason in run.sample.failures)
    lines = [table(headers, rows, "lrrrrr"), said]
    if failures:
        lines.append("Readings that could not be taken:")
        lines.append(bullets([inline(reason) for reason in failures]))
    return "\n\n".join(lines)


def _run(run: GpuRun) -> list[str]:
    sample = run.sample
    return [
        code(run.run_id),
        _between(sample.sm_mhz_min, sample.sm_mhz_max),
        NONE if sample.temperature_max_c is None else str(sample.temperature_max_c),
        _power(sample),
        megabytes(sample.memory_max_bytes),
        str(len(sample.pids)),
        inline(", ".join(sample.throttle)) or NONE,
        "**throttled**" if run.throttled else NONE,
    ]


def _between(low: int | None, high: int | None) -> str:
    if low is None or high is None:
        return NONE
    return str(low) if low == high else f"{low} to {high}"


def _power(sample: GpuSample) -> str:
    if sample.power_mean_w is None or sample.power_max_w is None:
        return NONE
    return f"{fixed(sample.power_mean_w)} / {fixed(sample.power_max_w)}"


def _ratios(part: GpuReport) -> str:
    rows = [
        [
            inline(r.stack),
            inline(r.cpu),
            inline(r.cuda),
            str(r.estimate.pairs),
            ratio(r.estimate),
            inline(r.estimate.note) or NONE,
        ]
        for r in part.ratios
    ]
    headers = ["stack", "CPU arm", "CUDA arm", "blocks", "ratio CPU/GPU", "note"]
    return (
        "CPU against GPU, which is not a claim of the paper: the ratio of a run's median fit "
        "without the cold one, over blocks, with its 95 % interval; above 1 the GPU is faster.\n\n"
        f"{table(headers, rows, 'lllrr')}"
    )
