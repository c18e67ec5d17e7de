"""What stands before the experiments: abstract, check-list, requirements, installation."""

from __future__ import annotations

import json
import shlex

from kit.measure.session import Session
from kit.report.appendix import costs
from kit.report.appendix.parts import TO_FILL_IN, Command, Facts, Section, Text
from kit.report.gpu import GpuReport
from kit.report.model import ReportModel
from kit.report.numbers import gigabytes

_MINIMUM = (
    "Linux on x86-64 with Python 3.10 or newer, and a container engine (Docker or Podman); "
    "kit setup installs one on Debian and Ubuntu."
)


def opening(session: Session, model: ReportModel) -> tuple[Section, ...]:
    """Everything that is the same for all experiments."""
    return (
        Section("Abstract", (Text(_abstract(model)),)),
        Section("Check-list", (Facts(_checklist(session, model)),)),
        Section("Description and requirements", (Text(_MINIMUM), Facts(_requirements(model)))),
        Section("What stood in for what", (Text(_SUBSTITUTES), Facts(_components(model)))),
        Section(
            "Installation",
            (
                Text("In a copy of the artifact:"),
                Command("pip install ."),
                Command("kit doctor"),
                Text(
                    "The second command checks every requirement and names the remedy for what "
                    "is missing. Where there is no engine:"
                ),
                Command("kit setup"),
                Text("A small session, to see that all works, within minutes once images exist:"),
                Command(_small(model)),
            ),
        ),
    )


def _small(model: ReportModel) -> str:
    """The study's smallest session, of the same study as this one."""
    tiers = model.study.protocol.tiers.values()
    smallest = min(tiers, key=lambda tier: tier.blocks * tier.repeats)
    try:
        words = shlex.split(model.header.command)
    except ValueError:  # a log may hold anything
        words = []
    at = words.index("--study") if "--study" in words else len(words)
    return shlex.join(["kit", "reproduce", "--budget", smallest.name, *words[at : at + 2]])


def _abstract(model: ReportModel) -> str:
    plan, judged = model.header.plan, model.judged
    claims = len(model.study.claims) + len(judged.executable) + len(model.study.training)
    return (
        f"The artifact checks: {model.study.paper.citation} It asks: {model.study.title} "
        f"It runs {' and '.join(plan.arms)} in containers, {plan.blocks} blocks in random order "
        f"with {plan.repeats} fits in a run, checks by hashes that they did the same work, and "
        f"judges {claims} measured claims and {len(judged.findings)} on the paper's own numbers. "
        f"What this session found: {model.headline}"
    )


def _checklist(session: Session, model: ReportModel) -> tuple[tuple[str, str], ...]:
    header, study = model.header, model.study
    plan, host = header.plan, header.host
    workload = json.dumps(study.workload, sort_keys=True)
    statistics = ", ".join(dict.fromkeys(claim.statistic for claim in study.claims)) or "none"
    arms = plan.arms
    return (
        ("Algorithm", f"one workload, the same in every arm: {workload}"),
        ("Program", f"{', '.join(arms)}, driven by kit {header.kit_version}"),
        ("Binary", "container images, named by digest in report.md and in sbom/"),
        ("Data set", _component(model, "data") or "part of the workload"),
        ("Run-time environment", f"{host.operating_system}, Linux {host.kernel}, {host.engine}"),
        ("Software in the images", _versions(model)),
        ("Hardware", _hardware(model)),
        (
            "Execution",
            f"one container a run, {plan.design}, no network, CPUs "
            f"{plan.limits.cpuset or 'all'}, {gigabytes(plan.limits.memory_bytes)} of memory",
        ),
        (
            "Metrics",
            f"wall seconds of a fit ({statistics}); the gain of {study.contender} over "
            f"{study.baseline} in percent, with a 95 % interval over blocks",
        ),
        (
            "Output",
            "report.md, report.html, results.json, plots, files for other tools, "
            "and the run log they all follow from",
        ),
        ("Experiments", f"{len(session.entries)} runs in this session, by one command"),
        ("Disk space required (approximately)", _disk_needed(model)),
        (
            "Time to prepare workflow (approximately)",
            "not measured: the images are found or built before the session's clock starts",
        ),
        ("Time to complete (approximately)", costs.whole(session)),
        ("Publicly available", f"{TO_FILL_IN}: address"),
        ("Licences", f"kit: MIT; software in the images: see sbom/; artifact: {TO_FILL_IN}"),
        ("Archived", f"{TO_FILL_IN}: DOI"),
    )


def _requirements(model: ReportModel) -> tuple[tuple[str, str], ...]:
    protocol, plan = model.study.protocol, model.header.plan
    gpu = any(model.study.arms[arm].variant == "cuda" for arm in plan.arms)
    need = protocol.memory.of(plan.repeats)
    return (
        ("Memory", f"{gigabytes(need)} for a run of {plan.repeats} fits"),
        ("Disk", _disk_needed(model)),
        ("GPU", "one that runs CUDA 11.8" if gpu else "none"),
        ("Network", "for the images, once; or a file that kit bundle save made elsewhere"),
        ("Rights", "access to the engine; root only for kit setup"),
        ("Ethics and risks", "none: containers without network, rights or personal data"),
    )


_SUBSTITUTES = (
    "What the paper names, what this session had, and why. A verdict that rests on a substitute "
    "is INDICATIVE; kit reproduce --strict refuses substitutes."
)


def _components(model: ReportModel) -> tuple[tuple[str, str], ...]:
    return tuple(
        (
            row.name,
            f"{'exact' if row.exact else 'SUBSTITUTED'}: {row.got}; wanted: {row.wanted}; "
            f"{row.why}",
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
    return ", ".join(found) or "no run left a record"


def _hardware(model: ReportModel) -> str:
    host = model.header.host
    text = (
        f"{host.cpu_model or 'CPU not known'}, {host.cpus} CPUs, "
        f"{gigabytes(host.memory_bytes)} of memory"
    )
    if host.virtualization:
        text += f", {host.virtualization}"
    text += _gpu(model.gpu)
    if model.header.shards:
        text += f"; gathered from: {'; '.join(model.header.shards)}"
    return text


def _gpu(part: GpuReport | None) -> str:
    return "" if part is None or part.check.gpu is None else f", {part.check.gpu.name}"


def _disk_needed(model: ReportModel) -> str:
    variants = sorted({model.study.arms[arm].variant for arm in model.header.plan.arms})
    need = sum(model.study.protocol.disk_bytes.get(variant, 0) for variant in variants)
    return f"{gigabytes(need)} to build; {costs.disk(model, model.header.plan.arms)}"
