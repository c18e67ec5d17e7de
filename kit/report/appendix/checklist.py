"""The appendix before its experiments: abstract, check-list, requirements, installation, costs."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from contextlib import suppress

from kit.errors import InputError
from kit.records.command import parse_command, shown
from kit.records.session import Session, moment
from kit.report.conditions import engine_text, merged_text, substitute_text
from kit.report.document import Code, Command, Heading, List, Paragraph, Prose, Strong
from kit.report.looks import blocks_text
from kit.report.model import ReportModel
from kit.report.numbers import format_gigabytes, format_number
from kit.study.model import CUDA

TO_FILL_IN = "TO FILL IN BY THE AUTHORS"
"""The mark for things that neither a log nor a study holds."""
_MINIMUM = (
    "Linux on x86-64 with Python 3.10 or newer, and a container engine (Docker or Podman); ",
    Code("kit setup"),
    " installs one on Debian and Ubuntu.",
)
_SUBSTITUTES = (
    "For each component: the version that this session used, the published one, and the reason. "
    "A verdict that depends on a substitute is INDICATIVE; ",
    Code("kit reproduce --strict"),
    " refuses substitutes.",
)
Facts = tuple[tuple[str, str], ...]
HUMAN = "5 minutes (estimate: start one command, read one page)"


def opening(session: Session, model: ReportModel) -> tuple[Prose, ...]:
    """Return the title and the parts of the appendix that are the same for all experiments."""
    return (
        Heading(1, f"Artifact appendix: {model.study.title}"),
        Heading(2, "Abstract"),
        Paragraph(_abstract(model)),
        Heading(2, "Artifact check-list"),
        listed((*_workload(model), *_machine(model), *_effort(session, model))),
        Heading(2, "Description and requirements"),
        Paragraph(_MINIMUM),
        listed(_requirements(model)),
        Heading(2, "Substitutions"),
        Paragraph(_SUBSTITUTES),
        listed(_components(model)),
        Heading(2, "Installation"),
        *_installation(model),
    )


def listed(rows: Iterable[tuple[str, str]]) -> Prose:
    """Return names with their values as a list; "None." for no rows.

    It is not a table: values are long, and a table would be padded to the longest.
    """
    items = tuple((Strong(name), ": ", value or "not known") for name, value in rows)
    return List(items) if items else Paragraph("None.")


def compute(session: Session, arms: Collection[str]) -> str:
    """Return the total time of these arms' containers as text, by the engine's clock.

    Failed runs count. If no time is known, the text says so.
    """
    entries = [entry for entry in session.entries if entry.arm in arms]
    seconds = [entry.seconds for entry in entries if entry.seconds is not None]
    if not seconds:
        return "not measured in this session"
    unknown = len(entries) - len(seconds)
    text = f"{minutes(sum(seconds))} in {len(seconds)} containers, measured in this session"
    return f"{text} ({unknown} more without a time)" if unknown else text


def time_to_complete(session: Session) -> str:
    """Return how long the session took, from its start to the end of its last container, as text.

    If that is unknown, the text says so.
    """
    try:
        start = moment(session.header.created)
        ends = [moment(entry.finished_at) for entry in session.entries]
        span = (max(ends) - start).total_seconds()
    except (TypeError, ValueError):
        return "not measured in this session"
    return (
        f"{minutes(max(span, 0.0))} from the start of the session to the end of its last run, "
        "measured (with pauses, if the session was resumed)"
    )


def disk(model: ReportModel, arms: Collection[str]) -> str:
    """Return the total size of these arms' images as text; shared layers count in each image."""
    images = [image for arm, image in model.header.images.items() if arm in arms]
    if not images:
        return "images not built in this session"
    size = sum(image.size_bytes for image in images)
    total = format_gigabytes(size)
    return f"{total} of images at most, measured (shared layers counted in each image)"


def memory(model: ReportModel, arms: Collection[str]) -> str:
    """Return the peak memory of any run of these arms, and the limit of all runs, as text."""
    peaks = [
        row.rss_peak_bytes
        for row in model.costs
        if row.arm in arms and row.rss_peak_bytes is not None
    ]
    if not peaks:
        return f"not measured in this session; {memory_limit(model)}"
    peak = format_gigabytes(max(peaks))
    return f"{peak} of peak resident memory per run, measured; {memory_limit(model)}"


def memory_limit(model: ReportModel) -> str:
    """Return the memory limit of a run as text, such as "limit per run: 6.5 GB"."""
    return f"limit per run: {format_gigabytes(model.header.plan.limits.memory_bytes)}"


def minutes(seconds: float) -> str:
    """Return seconds as a text in minutes, such as "12.5 minutes"."""
    return f"{format_number(seconds / 60, 1)} minutes"


def _installation(model: ReportModel) -> tuple[Prose, ...]:
    return (
        Paragraph("In the folder of the artifact:"),
        Command("pip install ."),
        Command("kit doctor"),
        Paragraph(
            "The second command checks all requirements and prints a remedy for each one that is "
            "not met. To install a container engine:"
        ),
        Command("kit setup"),
        Paragraph(
            "To test the installation with a small session (a few minutes if the images exist):"
        ),
        Command(_small(model)),
    )


def _small(model: ReportModel) -> str:
    """Return the command of the study's smallest session, of the same study as this one."""
    tiers = model.study.protocol.tiers.values()
    smallest = min(tiers, key=lambda tier: tier.blocks * tier.repeats)
    study = ""
    with suppress(InputError):  # a log may hold anything
        study = parse_command(model.header.command).text("--study")
    own = ("--study", study) if study else ()
    return shown("reproduce", "--budget", smallest.name, *own)


def _abstract(model: ReportModel) -> tuple[str, ...]:
    plan, judged = model.header.plan, model.judged
    blocks = blocks_text(plan, model.course)
    claims = len(model.study.claims) + len(judged.executable) + len(model.study.training)
    return (
        "The artifact checks: ", model.study.paper.citation, " Question: ", model.study.title,
        f" kit runs {' and '.join(plan.arms)} in containers, in {blocks} blocks in random "
        f"order with {plan.repeats} fits per run, and checks by hashes that all arms do the same "
        f"work. It judges {claims} claims by measurement and {len(judged.consistency)} by "
        "arithmetic on the published numbers. Result of this session: ", model.headline,
    )  # fmt: skip


def _workload(model: ReportModel) -> Facts:
    study, arms = model.study, model.header.plan.arms
    workload = json.dumps(study.workload, sort_keys=True)
    return (
        ("Algorithm", f"the same workload in every arm: {workload}"),
        ("Program", f"{', '.join(arms)}, driven by kit {model.header.kit_version}"),
        ("Binary", "container images; report.md and sbom/ list their digests"),
        ("Data set", _component(model, "data") or "part of the workload"),
    )


def _machine(model: ReportModel) -> Facts:
    host, limits = model.header.host, model.header.plan.limits
    return (
        (
            "Run-time environment",
            f"{host.operating_system}, Linux {host.kernel}, {engine_text(host.engine)}",
        ),
        ("Software in the images", _versions(model)),
        ("Hardware", _hardware(model)),
        (
            "Execution",
            f"one container per run, {model.header.plan.design}, no network, CPUs "
            f"{limits.cpuset or 'all'}, {format_gigabytes(limits.memory_bytes)} of memory",
        ),
    )


def _effort(session: Session, model: ReportModel) -> Facts:
    study = model.study
    statistics = ", ".join(dict.fromkeys(claim.statistic for claim in study.claims)) or "none"
    return (
        (
            "Metrics",
            f"wall time of a fit in seconds ({statistics}); gain of {study.contender} over "
            f"{study.baseline} in percent, with a 95 % interval over blocks",
        ),
        (
            "Output",
            "the run log; derived from it: report.md, report.html, results.json, plots, and files "
            "for other tools",
        ),
        ("Experiments", f"{len(session.entries)} runs in this session, by one command"),
        ("Disk space required (approximately)", _disk_needed(model)),
        (
            "Time to prepare workflow (approximately)",
            "not measured: kit pulls or builds images before the session starts",
        ),
        ("Time to complete (approximately)", time_to_complete(session)),
        ("Publicly available", f"{TO_FILL_IN}: address"),
        ("Licences", f"kit: MIT; software in the images: see sbom/; artifact: {TO_FILL_IN}"),
        ("Archived", f"{TO_FILL_IN}: DOI"),
    )


def _requirements(model: ReportModel) -> Facts:
    protocol, plan = model.study.protocol, model.header.plan
    gpu = any(model.study.arms[arm].variant == CUDA for arm in plan.arms)
    need = protocol.memory.of(plan.repeats)
    return (
        ("Memory", f"{format_gigabytes(need)} per run of {plan.repeats} fits"),
        ("Disk", _disk_needed(model)),
        ("GPU", "with support for CUDA 11.8" if gpu else "none"),
        ("Network", "once, for the images; offline: a bundle from kit bundle save"),
        ("Rights", "access to the container engine; root only for kit setup"),
        (
            "Ethics and risks",
            "none: the containers have no network, no privileges and no personal data",
        ),
    )


def _components(model: ReportModel) -> Facts:
    return tuple(
        (
            row.name,
            f"{'exact' if row.exact else 'SUBSTITUTED'}: {row.got}; published: {row.wanted}; "
            f"{substitute_text(row)}",
        )
        for row in model.header.fidelity
    )


def _component(model: ReportModel, name: str) -> str:
    return next((row.got for row in model.header.fidelity if row.name == name), "")


def _versions(model: ReportModel) -> str:
    found = {
        f"{name} {' / '.join(versions)}": None
        for arm in model.arms
        for name, versions in arm.versions.items()
    }
    return ", ".join(found) or "no record"


def _hardware(model: ReportModel) -> str:
    host, gpu = model.header.host, model.gpu
    text = (
        f"{host.cpu_model or 'unknown CPU'}, {host.cpus} CPUs, "
        f"{format_gigabytes(host.memory_bytes)} of memory"
    )
    if host.virtualization:
        text += f", {host.virtualization}"
    if gpu is not None and gpu.check.gpu is not None:
        text += f", {gpu.check.gpu.name}"
    if model.header.shards:
        text += f"; merged from: {merged_text(model.header)}"
    return text


def _disk_needed(model: ReportModel) -> str:
    variants = sorted({model.study.arms[arm].variant for arm in model.header.plan.arms})
    need = sum(model.study.protocol.disk_bytes.get(variant, 0) for variant in variants)
    return f"{format_gigabytes(need)} to build; {disk(model, model.header.plan.arms)}"
