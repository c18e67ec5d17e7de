"""Inputs of a session: kit and other software, images, the study, settings, the host."""

from __future__ import annotations

from dataclasses import asdict

from kit.report.crate.entities import Entity, entity, fact, local, purl, ref, refs
from kit.report.crate.outputs import folders
from kit.report.model import ReportModel
from kit.report.origin import engine_text, merged_text, substitute_text
from kit.report.text import plain

HOST, STUDY = "#host", "#study"
_PAPER, _PLAN = "#paper", "#plan"
_IMAGE = "https://w3id.org/ro/terms/workflow-run#DockerImage"
_NOT_SOFTWARE = ("", "none")


def kit_id(model: ReportModel) -> str:
    """Return the id of the version of kit that measured the session."""
    return purl("kit", model.header.kit_version)


def software(model: ReportModel) -> list[Entity]:
    """Return kit, then the software that the records of the arms name, and the engine."""
    parts = [
        entity(
            purl(name, version),
            "SoftwareApplication",
            name=plain(name),
            softwareVersion=plain(version),
        )
        for arm in model.arms
        for name, versions in sorted(arm.versions.items())
        for version in versions
        if plain(version) not in _NOT_SOFTWARE
    ]
    engine = model.header.host.engine
    if engine.name:
        parts.append(
            entity(
                purl(engine.name, engine.version),
                "SoftwareApplication",
                name=plain(engine.name),
                softwareVersion=plain(engine.version),
                description=f"The container engine: {plain(engine_text(engine))}",
            )
        )
    unique = {part["@id"]: part for part in parts}
    kit = entity(
        kit_id(model),
        "SoftwareApplication",
        name="kit",
        description="Checks published performance claims by running them in containers",
        softwareVersion=plain(model.header.kit_version),
        softwareRequirements=refs(unique.values()),
    )
    return [kit, *unique.values()]


def images(model: ReportModel) -> list[Entity]:
    """Return the image of every arm. Its content digest leaves out the times of files."""
    found = []
    for arm, image in sorted(model.header.images.items()):
        name, _, tag = plain(image.reference).rpartition(":")
        digest = plain(image.image_id).removeprefix("sha256:")
        content = plain(image.content_sha256)
        found.append(
            entity(
                local("image", arm),
                "ContainerImage",
                name=name or tag,
                tag=tag if name else None,
                additionalType=ref(_IMAGE),
                sha256=digest,
                identifier=f"content-sha256:{content}" if content else None,
                description=f"Image of arm {plain(arm)}; identifier: content digest over path, "
                "mode, owner and bytes of every file, without timestamps",
            )
        )
    return found


def paper(model: ReportModel) -> Entity:
    """Return the paper that the study checks."""
    return entity(_PAPER, "ScholarlyArticle", name=plain(model.study.paper.citation, 600))


def given(model: ReportModel) -> list[Entity]:
    """Return the study and the plan of the session."""
    named = entity(
        STUDY,
        "CreativeWork",
        name=plain(model.study.title),
        identifier=plain(model.study.id),
        version=f"sha256:{plain(model.header.plan.study_sha256)}",
        citation=ref(_PAPER),
        hasPart=refs(folders(model)),
    )
    plan = entity(
        _PLAN,
        "CreativeWork",
        name="The plan of the session",
        description="All runs in order, as in the first line of the run log",
        version=f"sha256:{plain(model.header.plan_sha256)}",
    )
    return [named, plan]


def settings(model: ReportModel) -> list[Entity]:
    """Return the settings of the plan, the components used, and the environment."""
    plan = model.header.plan
    rows = [
        fact("setting", "budget", plan.tier),
        fact("setting", "design", plan.design),
        fact("setting", "blocks", str(plan.blocks)),
        fact("setting", "fits per run", str(plan.repeats)),
        fact("setting", "order seed", str(plan.seed)),
        fact("setting", "CPUs per run", plan.limits.cpuset or "all"),
        fact("setting", "memory per run", str(plan.limits.memory_bytes), unitText="bytes"),
    ]
    for row in model.header.fidelity:
        state = "exact" if row.exact else "substituted"
        rows.append(
            fact(
                "component",
                row.name,
                row.got,
                description=plain(f"{state}; wanted: {row.wanted}; {substitute_text(row)}", 600),
            )
        )
    return [*rows, *environment(model)]


def environment(model: ReportModel) -> list[Entity]:
    """Return the environment variables of every container."""
    found = sorted(model.study.protocol.env.items())
    return [fact("environment", name, value) for name, value in found]


def host(model: ReportModel) -> Entity:
    """Return the machine on which the session ran."""
    facts = {**asdict(model.header.host), "engine": engine_text(model.header.host.engine)}
    described = "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in facts.items())
    if model.header.shards:
        described += f"; merged from: {merged_text(model.header)}"
    return entity(HOST, "Place", name="The host", description=plain(described, 1500))
