"""The entities of a crate: the session's inputs, its files and the verdicts in them.

Inputs are kit and other software, images, the study, settings and the host.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from kit.records.session import moment
from kit.report.conditions import engine_text, merged_text, substitute_text
from kit.report.looks import course_facts
from kit.report.model import ReportModel
from kit.report.text import plain
from kit.results import RUN_LOG, SBOMS, sbom_name
from kit.results import STUDY as STUDY_FOLDER

HOST, STUDY = "#host", "#study"
_PAPER, _PLAN = "#paper", "#plan"
_IMAGE = "https://w3id.org/ro/terms/workflow-run#DockerImage"
_NOT_SOFTWARE = ("", "none")
_PLAIN_NAME = re.compile(r"[\w.-]+")
_FORMATS = {
    ".md": "text/markdown",
    ".html": "text/html",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".xml": "application/xml",
    ".csv": "text/csv",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".yaml": "application/yaml",
    "": "text/plain",
}
_SAYS = {
    RUN_LOG: "Append-only run log, from which kit derives all other files",
    "report.md": "Report as markdown",
    "report.html": "Report as one HTML page",
    "results.json": "Report as JSON, for programs",
    "claims.junit.xml": "Claims as JUnit test cases",
    "fits.csv": "All fits of all timed runs",
    "hyperfine.json": "Times in the format of hyperfine",
    "badge.json": "Verdict of the headline as a badge",
    "summary.md": "Short report for a CI job",
}
Entity = dict[str, Any]


def kit_id(model: ReportModel) -> str:
    """Return the id, in the crate, of the version of kit that measured the session."""
    return purl("kit", model.header.kit_version)


def software(model: ReportModel) -> list[Entity]:
    """Return entities for kit, for the software that the arms' records name, and for the engine."""
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
    """Return an entity per arm for its image; the content digest leaves out times of files."""
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
    """Return the entity of the publication that the study checks."""
    return entity(_PAPER, "ScholarlyArticle", name=plain(model.study.paper.citation, 600))


def given(model: ReportModel) -> list[Entity]:
    """Return entities for the session's inputs: the study and the plan."""
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
    """Return entities for the plan's settings, the components used, and environment variables."""
    plan, course = model.header.plan, model.course
    rows = [
        fact("setting", "budget", plan.tier),
        fact("setting", "design", plan.design),
        fact("setting", "blocks", str(plan.blocks if course is None else course.blocks)),
        fact("setting", "fits per run", str(plan.repeats)),
        fact("setting", "order seed", str(plan.seed)),
        fact("setting", "CPUs per run", plan.limits.cpuset or "all"),
        fact("setting", "memory per run", str(plan.limits.memory_bytes), unitText="bytes"),
    ]
    if course is not None:
        named = ("blocks at most", str(course.most)), *course_facts(course)
        rows += [fact("setting", name, value) for name, value in named]
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
    """Return an entity for each environment variable that every container gets."""
    found = sorted(model.study.protocol.env.items())
    return [fact("environment", name, value) for name, value in found]


def host(model: ReportModel) -> Entity:
    """Return the entity of the machine on which the session ran."""
    facts = {**asdict(model.header.host), "engine": engine_text(model.header.host.engine)}
    described = "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in facts.items())
    if model.header.shards:
        described += f"; merged from: {merged_text(model.header)}"
    return entity(HOST, "Place", name="The host", description=plain(described, 1500))


def data_entities(model: ReportModel, names: Collection[str]) -> tuple[list[Entity], list[Entity]]:
    """Return entities for the session's files, first without its copy of the study, then with it.

    ``names`` are the report's files in the results folder; the log and the bills of materials are
    added to them.
    """
    files = [_file(RUN_LOG), *(_file(name) for name in sorted(names))]
    files += [
        _file(f"{SBOMS}/{sbom_name(arm)}", f"CycloneDX bill of materials for the image of {arm}")
        for arm, image in sorted(model.header.images.items())
        if image.content_sha256 and _PLAIN_NAME.fullmatch(arm)
    ]
    return files, [*files, *folders(model)]


def folders(model: ReportModel) -> list[Entity]:
    """Return a list with the entity of the study's copy; empty if the study is the shipped one."""
    if model.study.folder is None:
        return []
    return [
        entity(
            f"{STUDY_FOLDER}/",
            "Dataset",
            name="The study",
            description="Copy of the study that the session measured",
        )
    ]


def verdicts(model: ReportModel) -> list[Entity]:
    """Return an entity for every measured claim, with its gain in percent, interval and verdict."""
    found = []
    for verdict in model.verdicts:
        measured = verdict.measured
        bounds = None if measured is None else measured.gain_interval
        claim = verdict.claim
        found.append(
            entity(
                local("claim", f"{claim.id}-{verdict.variant}"),
                "PropertyValue",
                name=plain(f"{claim.id} {verdict.variant}: {claim.statement}"),
                value=None if measured is None else measured.gain_percent,
                minValue=None if bounds is None else bounds.low,
                maxValue=None if bounds is None else bounds.high,
                unitText="percent",
                description=plain(f"{verdict.printed}: {model.reason_of(verdict)}", 600),
            )
        )
    return found


def entity(identity: str, kind: str, /, **properties: Any) -> Entity:
    """Return a JSON-LD entity with that ``@id`` and ``@type``, without its empty properties."""
    kept = {key: value for key, value in properties.items() if value not in (None, "", [], ())}
    return {"@id": identity, "@type": kind, **kept}


def ref(name: str) -> dict[str, str]:
    """Return a JSON-LD reference to the entity whose ``@id`` is ``name``."""
    return {"@id": name}


def refs(entities: Iterable[Entity]) -> list[dict[str, str]] | dict[str, str]:
    """Return a list of JSON-LD references to entities.

    As RO-Crate requires, a single reference is not in a list.
    """
    found = [ref(found["@id"]) for found in entities]
    return found[0] if len(found) == 1 else found


def fact(kind: str, name: str, value: object, /, **more: Any) -> Entity:
    """Return a name with its value as a PropertyValue entity; an empty value is "not known".

    ``kind`` is the first part of its id, ``more`` are further properties.
    """
    shown = plain(value) if isinstance(value, str) else value
    return entity(
        local(kind, name), "PropertyValue", name=plain(name), value=shown or "not known", **more
    )


def local(kind: str, name: str) -> str:
    """Return an id inside the crate, ``#kind/name``, for something without a file or a URL."""
    return f"#{kind}/{safe(name)}"


def purl(name: str, version: str) -> str:
    """Return a software component's package URL, ``pkg:generic/NAME@VERSION``.

    It is the component's id in the crate. Without a version it ends after the name.
    """
    return f"pkg:generic/{safe(name)}" + (f"@{safe(version)}" if plain(version) else "")


def safe(text: str) -> str:
    """Return text percent-encoded for use in an id: its first 200 characters, cleaned."""
    return quote(plain(text, 200), safe="")


def when(text: str) -> str | None:
    """Return an RFC 3339 time of the log as ISO 8601 to the second, in its time zone.

    None for text that is not such a time.
    """
    try:
        found = moment(plain(text))
    except ValueError:
        return None
    return found.isoformat(timespec="seconds")


def day(text: str) -> str | None:
    """Return the date, YYYY-MM-DD, of an RFC 3339 time of the log; None for other text."""
    found = when(text)
    return None if found is None else found[:10]


def compact(entities: Sequence[Entity]) -> list[Entity]:
    """Return the entities without repeated ids: of each id, the first entity stays."""
    found: dict[str, Entity] = {}
    for one in entities:
        found.setdefault(one["@id"], one)
    return list(found.values())


def _file(name: str, says: str = "") -> Entity:
    path = PurePosixPath(name)
    return entity(
        quote(name),
        "File",
        name=plain(path.name),
        description=plain(says) or _SAYS.get(path.name),
        encodingFormat=_FORMATS.get(path.suffix),
    )
