"""The results folder as an RO-Crate: the session's inputs, its runs, and its results.

Process Run Crate 0.5 over RO-Crate 1.1, as plain JSON: the RO-Crate library copies the
files and dates the crate by the clock, but the same log must give the same bytes. The crate
holds no checksums of files, because plots differ with the drawing library.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from kit.plan.model import TIMED
from kit.plan.shard import runs_in_shard
from kit.report.crate import entities
from kit.report.crate.entities import Entity, compact, data_entities, day, entity, ref, refs, when
from kit.report.model import ReportModel
from kit.report.text import plain
from kit.results import CRATE

PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_CRATE = "https://w3id.org/ro/crate/1.1"
_CONTEXT = (f"{_CRATE}/context", "https://w3id.org/ro/terms/workflow-run/context")
_SESSION, _LICENCE = "#session", "#licence"
_DONE = "http://schema.org/CompletedActionStatus"
_LONG = 1500


def render(model: ReportModel, names: Collection[str]) -> bytes:
    """Return the RO-Crate metadata (JSON-LD) of a session's results folder.

    ``names`` are the files of its report.
    """
    files, parts = data_entities(model, names)
    context = [
        *entities.software(model),
        *entities.images(model),
        *entities.given(model),
        entities.paper(model),
        *entities.settings(model),
        entities.host(model),
        *entities.verdicts(model),
    ]
    graph = [
        entity(CRATE, "CreativeWork", conformsTo=ref(_CRATE), about=ref("./")),
        _root(model, parts),
        entity(PROFILE, "CreativeWork", name="Process Run Crate", version="0.5"),
        entity(
            _LICENCE,
            "CreativeWork",
            name="No licence stated",
            description="The publisher of this folder chooses its licence. "
            "kit, which wrote it, has the MIT licence.",
        ),
        _action(model, files),
        *context,
        *files,
    ]
    document: dict[str, Any] = {"@context": list(_CONTEXT), "@graph": compact(graph)}
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()


def _root(model: ReportModel, parts: list[Entity]) -> Entity:
    return entity(
        "./",
        "Dataset",
        name=f"{plain(model.study.title)} Session {plain(model.header.session_id)}",
        description=plain(f"{model.headline} {_substitutes(model)}", _LONG),
        datePublished=day(model.header.created),
        license=ref(_LICENCE),
        conformsTo=ref(PROFILE),
        hasPart=refs(parts),
        mentions=ref(_SESSION),
        about=ref(entities.STUDY),
        variableMeasured=refs(entities.verdicts(model)),
    )


def _action(model: ReportModel, files: list[Entity]) -> Entity:
    ends = [end for end in (when(run.finished_at) for run in model.raw) if end is not None]
    return entity(
        _SESSION,
        "CreateAction",
        name=f"Session {plain(model.header.session_id)}",
        description=plain(
            f"`{model.header.command}`: {len(model.raw)} timed runs of "
            f"{len(model.header.plan.arms)} arms in containers, judged and reported.",
            _LONG,
        ),
        startTime=when(model.header.created),
        endTime=max(ends, default=None),
        actionStatus=_DONE if _is_complete(model) else None,
        instrument=ref(entities.kit_id(model)),
        object=refs([*entities.given(model), *entities.settings(model)]),
        result=refs(files),
        location=ref(entities.HOST),
        containerImage=refs(entities.images(model)),
        environment=refs(entities.environment(model)),
    )


def _is_complete(model: ReportModel) -> bool:
    """Return whether the session ended by its rule, or has a record of every planned timed run.

    Of a shard only its own runs count.
    """
    header = model.header
    if model.course is not None and model.course.ending is not None:
        return True
    wanted = {r.run_id for r in runs_in_shard(header.plan.runs, header.shard) if r.kind == TIMED}
    return bool(wanted) and wanted <= {run.run_id for run in model.raw}


def _substitutes(model: ReportModel) -> str:
    others = [row.name for row in model.header.fidelity if not row.exact]
    return f"Substitutes: {', '.join(others) or 'none'}."
