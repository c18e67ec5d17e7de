"""Outputs of a session: its files, and the verdicts in them."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import PurePosixPath
from urllib.parse import quote

from kit.report.crate.entities import Entity, entity, local
from kit.report.model import ReportModel
from kit.report.text import plain
from kit.results.names import RUN_LOG, SBOMS, sbom_name
from kit.results.names import STUDY as STUDY_FOLDER

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


def data_entities(model: ReportModel, names: Collection[str]) -> tuple[list[Entity], list[Entity]]:
    """Return the files that the session wrote, and the same with the copy of the study."""
    files = [_file(RUN_LOG), *(_file(name) for name in sorted(names))]
    files += [
        _file(f"{SBOMS}/{sbom_name(arm)}", f"CycloneDX bill of materials for the image of {arm}")
        for arm, image in sorted(model.header.images.items())
        if image.content_sha256 and _PLAIN_NAME.fullmatch(arm)
    ]
    return files, [*files, *folders(model)]


def folders(model: ReportModel) -> list[Entity]:
    """Return the copy of the study next to the session's log; none for the shipped study."""
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
    """Return every measured claim with its gain in percent, interval and verdict."""
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


def _file(name: str, says: str = "") -> Entity:
    path = PurePosixPath(name)
    return entity(
        quote(name),
        "File",
        name=plain(path.name),
        description=plain(says) or _SAYS.get(path.name),
        encodingFormat=_FORMATS.get(path.suffix),
    )
