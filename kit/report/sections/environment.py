"""What it was measured with: substitutes, hosts, plan, failures, raw numbers."""

from __future__ import annotations

import re

from kit.images.fidelity import ArmImage, Component
from kit.images.sbom import sbom_name
from kit.judge.hygiene import RULES
from kit.measure.record import Fit
from kit.plan.model import PlannedRun
from kit.plan.roles import MAIN, role_of
from kit.report.model import ArmFacts, RawRun, ReportModel
from kit.report.numbers import NONE, fixed, gigabytes, megabytes, scaled, seconds
from kit.report.outlook import outlook_lines
from kit.report.sections.gpu import summary
from kit.report.tables import bullets, facts, fold, table
from kit.report.text import block, code, inline
from kit.results.folder import SBOMS

_BRIEF, _WHOLE = 120, 3000  # letters of a reason in the table, and below it
_SHORT = 19  # "sha256:" and 12 digits, as engines shorten an id
_DETAIL = re.compile(r" \(|: ")
"""What a long reason goes on with: every candidate that could not be had."""
_PLAIN_NAME = re.compile(r"[\w.-]+")


def fidelity(model: ReportModel) -> str:
    """Per component what the study wants and what was got; long reasons whole below."""
    rows = [
        [
            inline(row.name),
            inline(row.wanted),
            inline(row.got),
            "exact" if row.exact else "**substituted**",
            inline(_DETAIL.split(row.why, 1)[0] if _is_long(row) else row.why, _BRIEF),
        ]
        for row in model.header.fidelity
    ]
    text = table(["component", "wanted", "got", "fidelity", "why"], rows)
    long = [
        f"{inline(row.name)}: {inline(row.why, _WHOLE)}"
        for row in model.header.fidelity
        if _is_long(row)
    ]
    whole = fold("The reasons in full", bullets(long))
    return f"{text}\n\n{whole}" if long else text


def _is_long(row: Component) -> bool:
    return len(row.why) > _BRIEF


def where(model: ReportModel) -> str:
    """Images and versions of every arm, then the host and its limits."""
    names = sorted({name for arm in model.arms for name in arm.versions})
    rows = [
        [what, *(_image(arm, what) for arm in model.arms)]
        for what in ("reference", "image id", "content", "bill of materials", "size (MB)")
    ]
    rows += [[inline(n), *(_versions(arm, n) for arm in model.arms)] for n in names]
    rows.append(["clock", *(inline(", ".join(arm.clocks)) or NONE for arm in model.arms)])
    parts = [table(["", *(inline(arm.arm) for arm in model.arms)], rows), _digests(model)]
    return "\n\n".join(part for part in (*parts, _host(model)) if part)


def _image(arm: ArmFacts, what: str) -> str:
    if arm.image is None:
        return NONE
    return {
        "reference": code(arm.image.reference),
        "image id": code(arm.image.image_id[:_SHORT]),
        "content": code(arm.image.content_sha256[:_SHORT]) if arm.image.content_sha256 else NONE,
        "bill of materials": _sbom(arm.image),
        "size (MB)": megabytes(arm.image.size_bytes),
    }[what]


def _digests(model: ReportModel) -> str:
    """Every digest in full: in the table two of them would be wider than a page."""
    images = [arm.image for arm in model.arms if arm.image is not None]
    lines = [
        f"{inline(image.arm)}: image id {code(image.image_id)}"
        + (f", content {code(image.content_sha256)}" if image.content_sha256 else "")
        for image in images
    ]
    return fold("Digests of the images in full", bullets(lines)) if lines else ""


def _sbom(image: ArmImage) -> str:
    """A link to the document that the session wrote beside the report."""
    if not image.content_sha256 or not _PLAIN_NAME.fullmatch(image.arm):
        return NONE
    return f"[CycloneDX]({SBOMS}/{sbom_name(image.arm)})"


def _versions(arm: ArmFacts, name: str) -> str:
    """One version; several (an image that changed under way) are all shown."""
    return inline(" / ".join(arm.versions.get(name, ()))) or NONE


def _host(model: ReportModel) -> str:
    host, limits = model.header.host, model.header.plan.limits
    rows = [
        ("CPU", f"{host.cpu_model or 'not known'}, {host.cpus} CPUs"),
        ("frequency governor", host.governor),
        ("memory", gigabytes(host.memory_bytes)),
        ("operating system", host.operating_system),
        ("kernel", host.kernel),
        ("virtualization", host.virtualization),
        ("engine", host.engine),
        ("cgroup version", host.cgroup_version),
        (
            "limits of a run",
            f"CPUs {limits.cpuset or 'all'}, {gigabytes(limits.memory_bytes)} of memory, "
            f"{fixed(limits.timeout_s)} s",
        ),
        ("load and steal", _samples(model)),
        *((f"shard {number}", text) for number, text in enumerate(model.header.shards, start=1)),
        *(summary(model.gpu) if model.gpu is not None else ()),
    ]
    return "\n\n".join(part for part in (_gathered(model), facts(rows)) if part)


def _gathered(model: ReportModel) -> str:
    shards = len(model.header.shards)
    if not shards:
        return ""
    return (
        f"Gathered from {shards} shards. Host and limits below are those of the first; "
        "every shard's own processor and limits are in its row."
    )


def _samples(model: ReportModel) -> str:
    samples = [run.host for run in model.raw]
    if not samples:
        return "no timed run"
    loads = [sample.load_1m_before for sample in samples]
    stolen = [s.steal_ticks for s in samples if s.steal_ticks is not None]
    steal = f"{scaled(sum(stolen), 100, 2)} s stolen in all" if stolen else "steal time not known"
    free = min(sample.available_bytes_before for sample in samples)
    return (
        f"load {fixed(min(loads), 2)} to {fixed(max(loads), 2)} before runs, {steal}, "
        f"at least {gigabytes(free)} of memory free"
    )


def left_out(model: ReportModel) -> str:
    """Failed runs with the end of their output, exclusions, notes: nothing silent."""
    excluded = [
        [str(e.block) if e.block >= 0 else NONE, inline(e.arm), code(e.run_id), inline(e.reason)]
        for e in model.judged.exclusions
    ]
    parts = []
    if model.failures:
        rows = [
            [
                code(f.run_id),
                inline(f.arm),
                inline(f.kind),
                str(f.exit_code),
                inline(f.failure),
                "yes" if f.mended else "no",
            ]
            for f in model.failures
        ]
        parts.append("Failed runs:")
        parts.append(table(["run", "arm", "kind", "exit code", "failure", "made good"], rows))
        parts += [
            fold(f"End of the output of {inline(f.run_id)}", block(f.log_tail))
            for f in model.failures
            if f.log_tail.strip()
        ]
    if excluded:
        parts.append("Left out of the comparison:")
        parts.append(table(["block", "arm", "run", "why"], excluded, "r"))
    notes = [*model.header.plan.notes, *model.log_notes]
    if notes:
        parts += ["Notes:", bullets([inline(note, 600) for note in notes])]
    return "\n\n".join(parts) or "No run failed, none was left out."


def plan(model: ReportModel) -> str:
    """Tier, blocks, repeats, seed and the order the runs were planned in."""
    planned = model.header.plan
    timed = [run for run in planned.runs if run.kind == "timed"]
    order = [
        [
            str(number),
            inline(", ".join(_planned(run) for run in timed if run.block == number), 400),
        ]
        for number in sorted({run.block for run in timed})
    ]
    rows = [
        ("tier", planned.tier),
        *(
            [("shard", f"{model.header.shard}: only its blocks are here")]
            if model.header.shard
            else []
        ),
        ("design", planned.design),
        ("blocks", str(planned.blocks)),
        ("runs of a block", ", ".join(f"{r} ({role_of(r).means})" for r in planned.roles)),
        ("fits in a run", str(planned.repeats)),
        ("seed of the order", str(planned.seed)),
        ("plan", f"sha256 {model.header.plan_sha256}"),
        ("study", f"{planned.study_id}, sha256 {planned.study_sha256}"),
    ]
    said = [inline(line, 400) for line in outlook_lines(model.outlook)] if planned.pilot else []
    parts = [facts(rows), table(["block", "order of its runs"], order, "r")]
    return "\n\n".join([*parts[:1], *([bullets(said)] if said else []), *parts[1:]])


def _planned(run: PlannedRun) -> str:
    name = run.arm if run.role == MAIN else f"{run.arm} {run.role}"
    return name if run.pair is None else f"{name} (pair {run.pair}, CPUs {run.cpuset})"


def disturbances(model: ReportModel) -> str:
    """The rules, and every run that one of them fired for."""
    flagged = [
        [code(run.run_id), inline("; ".join(run.flags), 400)] for run in model.raw if run.flags
    ]
    rules = "; ".join(rule.means for rule in RULES)
    machines = {run.machine for run in model.raw}
    several = f" The runs were made on {len(machines)} machines." if len(machines) > 1 else ""
    if not flagged:
        return f"No timed run was disturbed. Watched: {rules}.{several}"
    return (
        f"{len(flagged)} of {len(model.raw)} timed runs were disturbed; they count all the same. "
        f"Watched: {rules}.{several}\n\n{table(['run', 'disturbance'], flagged)}"
    )


def repeat(model: ReportModel) -> str:
    """The exact command that repeats the session."""
    return block(model.header.command)


def raw(model: ReportModel) -> str:
    """Every fit of every timed run, folded."""
    headers = [
        "block", "pos.", "arm", "role", "run", "counted", "fit", "wall (s)", "paper's clock (s)",
        "user (s)", "system (s)", "minor faults", "RSS before (MB)", "RSS after (MB)",
        "last loss", "last accuracy",
    ]  # fmt: skip
    rows = [_fit_row(run, fit) for run in model.raw for fit in run.fits]
    return fold(
        f"{len(rows)} fits of {len(model.raw)} timed runs",
        table(headers, rows, "rrllllrrrrrrrrrr"),
    )


def _fit_row(run: RawRun, fit: Fit) -> list[str]:
    return [
        str(run.block),
        str(run.position),
        inline(run.arm),
        inline(run.role),
        inline(run.run_id),
        "yes" if run.counted else "no",
        str(fit.index),
        seconds(fit.wall_ns / 1e9, 9),
        seconds(fit.paper_clock_s, 7),
        seconds(fit.user_ns / 1e9, 3),
        seconds(fit.system_ns / 1e9, 3),
        str(fit.minor_faults),
        megabytes(fit.rss_before_bytes),
        megabytes(fit.rss_after_bytes),
        seconds(fit.losses[-1] if fit.losses else None, 6),
        seconds(fit.accuracies[-1] if fit.accuracies else None, 6),
    ]
