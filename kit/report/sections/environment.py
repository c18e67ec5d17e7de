"""The environment of the measurements: substitutes, images, host and GPU.

Of the GPU: problems, proof of its work, each run, CPU against GPU.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kit.records.gpu import Gpu, GpuIssue, GpuTelemetry
from kit.records.images import ArmImage, Component
from kit.report.conditions import engine_text, estimate_note, shard_text, substitute_text
from kit.report.document import (
    Block,
    Code,
    Fold,
    Link,
    List,
    Paragraph,
    Strong,
    Table,
    Text,
    Tone,
    facts,
)
from kit.report.gpu import GpuReport, GpuRun
from kit.report.model import ArmFacts, ReportModel
from kit.report.numbers import (
    NONE,
    format_gigabytes,
    format_megabytes,
    format_number,
    format_ratio,
    format_scaled,
)
from kit.report.text import plain
from kit.results import SBOMS, sbom_name

_BRIEF = 120  # letters of a reason in the table
_SHORT = 19  # "sha256:" and 12 digits, as engines shorten an id
_PLAIN_NAME = re.compile(r"[\w.-]+")
_PLACEMENTS = (
    "Devices on which TensorFlow placed the work of each arm (ops: those in the training graph of "
    "the identity run):"
)
_RATIOS = (
    "CPU time divided by GPU time: ratio of the warm medians over blocks with its 95 % interval. "
    "Above 1 the GPU is faster. The publication makes no such claim."
)


def fidelity(model: ReportModel) -> tuple[Block, ...]:
    """Return the published and the used version of each component; long reasons below."""
    rows = model.header.fidelity
    if not rows:
        return ()
    header = ("component", "expected", "actual", "fidelity", "reason")
    long = tuple((f"{row.name}: ", substitute_text(row)) for row in rows if _is_long(row))
    folded = (Fold("Complete reasons", (List(long),)),) if long else ()
    named = {row.name for row in rows}
    unknown = [
        (name, wanted, "no entry", NONE, "fidelity not recorded for these images")
        for name, wanted in model.study.paper.environment.items()
        if name not in named
    ]
    return Table(header, (*map(_component, rows), *unknown)), *folded


def where(model: ReportModel) -> tuple[Block, ...]:
    """Return images and versions of every arm, digests, shards, then the host and its limits."""
    names = sorted({name for arm in model.arms for name in arm.versions})
    described = {arm.arm: _image(arm.image) for arm in model.arms}
    rows: list[tuple[Text, ...]] = [
        (what, *(described[arm.arm][what] for arm in model.arms)) for what in _image(None)
    ]
    rows += [(name, *(_versions(arm, name) for arm in model.arms)) for name in names]
    rows.append(("clock", *(", ".join(arm.clocks) or NONE for arm in model.arms)))
    table = Table(("", *(arm.arm for arm in model.arms)), tuple(rows))
    return table, *_digests(model), *_merged(model), facts(_host(model))


def gpu(model: ReportModel) -> tuple[Block, ...]:
    """Return the blocks of the section on the GPU; empty if no GPU was requested."""
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
    """Return rows (name, value) on the GPU for the table on the host."""
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


def _component(row: Component) -> tuple[Text, ...]:
    return (
        row.name,
        row.wanted,
        row.got,
        "exact" if row.exact else Strong("substituted"),
        plain(row.why, _BRIEF),
    )


def _is_long(row: Component) -> bool:
    return bool(row.details) or len(row.why) > _BRIEF


def _image(image: ArmImage | None) -> dict[str, Text]:
    if image is None:
        return dict.fromkeys(
            ("reference", "image id", "content digest", "bill of materials", "size (MB)"), NONE
        )
    digest = image.content_sha256
    return {
        "reference": Code(image.reference),
        "image id": Code(image.image_id[:_SHORT]),
        "content digest": Code(digest[:_SHORT]) if digest else NONE,
        "bill of materials": _sbom(image),
        "size (MB)": format_megabytes(image.size_bytes),
    }


def _digests(model: ReportModel) -> tuple[Block, ...]:
    """Return every complete digest; two of them in the table would be wider than a page."""
    lines: list[Text] = []
    for image in (arm.image for arm in model.arms if arm.image is not None):
        digest = image.content_sha256
        content: tuple[str | Code, ...] = (", content ", Code(digest)) if digest else ()
        lines.append((f"{image.arm}: image id ", Code(image.image_id), *content))
    return (Fold("Complete digests of the images", (List(tuple(lines)),)),) if lines else ()


def _sbom(image: ArmImage) -> Text:
    """Return a link to the image's bill of materials; a dash if there is none."""
    if not image.content_sha256 or not _PLAIN_NAME.fullmatch(image.arm):
        return NONE
    return Link("CycloneDX", f"{SBOMS}/{sbom_name(image.arm)}")


def _versions(arm: ArmFacts, name: str) -> str:
    """Return the version, or all of them if the image changed during the session."""
    return " / ".join(arm.versions.get(name, ())) or NONE


def _host(model: ReportModel) -> tuple[tuple[str, str], ...]:
    host, limits = model.header.host, model.header.plan.limits
    return (
        ("CPU", f"{host.cpu_model or 'not known'}, {host.cpus} CPUs"),
        ("frequency governor", host.governor),
        ("memory", format_gigabytes(host.memory_bytes)),
        ("operating system", host.operating_system),
        ("kernel", host.kernel),
        ("virtualization", host.virtualization),
        ("engine", engine_text(host.engine)),
        ("cgroup version", host.cgroup_version),
        (
            "limits per run",
            f"CPUs {limits.cpuset or 'all'}, {format_gigabytes(limits.memory_bytes)} of memory, "
            f"{format_number(limits.timeout_s)} s",
        ),
        ("load and steal", _load(model)),
        *(
            (f"shard {number}", shard_text(made))
            for number, made in enumerate(model.header.shards, 1)
        ),
        *(summary(model.gpu) if model.gpu is not None else ()),
    )


def _merged(model: ReportModel) -> tuple[Paragraph, ...]:
    shards = len(model.header.shards)
    if not shards:
        return ()
    return (
        Paragraph(
            f"Merged from {shards} shards. The table below gives the host and the limits of the "
            "first shard, and the CPU and the limits of each shard in a row."
        ),
    )


def _load(model: ReportModel) -> str:
    samples = [run.host for run in model.raw]
    if not samples:
        return "no timed run"
    loads = [sample.load_1m_before for sample in samples]
    stolen = [s.steal_ticks for s in samples if s.steal_ticks is not None]
    steal = (
        f"{format_scaled(sum(stolen), 100, 2)} s stolen in total"
        if stolen
        else "steal time not known"
    )
    free = min(sample.available_bytes_before for sample in samples)
    return (
        f"load {format_number(min(loads), 2)} to {format_number(max(loads), 2)} before runs, "
        f"{steal}, at least {format_gigabytes(free)} of memory free"
    )


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
    total, free = (
        format_gigabytes(n) for n in (chosen.memory_total_bytes, chosen.memory_free_bytes)
    )
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
            format_megabytes(p.peak_bytes),
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
        format_megabytes(telemetry.memory_max_bytes),
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
    return f"{format_number(telemetry.power_mean_w)} / {format_number(telemetry.power_max_w)}"


def _ratios(part: GpuReport) -> tuple[Block, ...]:
    rows = tuple(
        (
            r.stack,
            r.cpu,
            r.cuda,
            str(r.estimate.pairs),
            format_ratio(r.estimate),
            estimate_note(r.estimate) or NONE,
        )
        for r in part.ratios
    )
    header = ("stack", "CPU arm", "CUDA arm", "blocks", "ratio CPU/GPU", "note")
    return Paragraph(_RATIOS), Table(header, rows)
