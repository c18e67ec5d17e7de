"""Lines of the run log, checked against their schemas and turned into values.

Every function raises InputError naming file, line and field: anyone may have written the log,
and no later code checks the types again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kit.errors import InputError
from kit.files.documents import read_json, values_of
from kit.plan.coherent import contradictions
from kit.plan.make import plan_sha256
from kit.plan.model import FORM, Note, Plan, in_form, plan_from
from kit.plan.shard import Shard
from kit.records.gpu import check_from, telemetry_from
from kit.records.host import EngineFacts, HostConditions, HostFacts
from kit.records.images import ArmImage, Component, ExecutableRun
from kit.records.record import Record, misnumbered, record_from
from kit.records.session import Header, Look, LookedAt, MergedShard, RunEntry
from kit.results.folder import REMEDY
from kit.schemas import problems

SCHEMA = FORM
READABLE = (6, SCHEMA)
"""Form 6 has no looks, and other names of designs; its sessions were planned by a pilot."""
PREVIOUS_SHA256 = "after"
"""The field with the SHA-256 of the line before, so that no single line can be changed."""
LINE = "line"
"""The field with the line's number, from 1, so that no single line can be removed."""
_NAMED = 3  # broken fields of a line
_CLEANED = ("record", "command")
"""Fields that others wrote (a program, a user whose folder's name is not valid Unicode); reports
clean them."""


def parsed(line: str, where: str) -> dict[str, Any]:
    """Return the JSON object in a line of the log, without the fields of its place in the log.

    ``where`` names the line in messages. Raise InputError for a line that is not such an object.
    """
    try:
        document = read_json(line)
    except ValueError as error:
        raise InputError(f"{where}: not JSON ({error})", REMEDY) from error
    if not isinstance(document, dict):
        raise InputError(f"{where}: not an object", REMEDY)
    document.pop(PREVIOUS_SHA256, None)
    if not isinstance(document.pop(LINE, None), int):
        raise InputError(f"{where}: line: not the number of the line", REMEDY)
    # An unpaired surrogate can only come from an escape: the line itself was decoded.
    for field, value in document.items() if "\\u" in line else ():
        if field not in _CLEANED and not _encodable(value):
            raise InputError(
                f"{where}: {field}: holds an unpaired surrogate, which is not text", REMEDY
            )
    return document


def header_from(document: Mapping[str, Any], where: str) -> Header:
    """Return the session's header in a line of the log. Raise InputError naming ``where``."""
    if document.get("type") != "header":
        raise InputError(f"{where}: not a session's header", REMEDY)
    form = document.get("schema")
    if form not in READABLE:
        raise InputError(
            f"{where}: schema {form!r}, this kit reads {' and '.join(map(str, READABLE))}",
            "use the version of the kit that wrote it",
        )
    values = _checked("header", document, where, "broken header")
    values["plan"] = in_form(values["plan"], values["schema"])
    for arm, image in values["images"].items():
        if image["arm"] != arm:
            raise InputError(f"{where}: images.{arm}: is of arm {image['arm']!r}", REMEDY)
    return Header(
        session_id=values["session_id"],
        kit_version=values["kit_version"],
        created=values["created"],
        command=values["command"],
        plan=_plan(values, values["schema"], where),
        plan_sha256=values["plan_sha256"],
        images={arm: ArmImage(**image) for arm, image in values["images"].items()},
        fidelity=tuple(
            Component(**{**row, "details": tuple(row["details"])}) for row in values["fidelity"]
        ),
        host=HostFacts(**{**values["host"], "engine": EngineFacts(**values["host"]["engine"])}),
        gpu=None if values["gpu"] is None else check_from(values["gpu"]),
        shard=None if values["shard"] is None else _shard(values["shard"], where),
        shards=tuple(_merged(made, where) for made in values["shards"]),
        sboms=values["sboms"],
        executable=values["executable"],
        form=values["schema"],
    )


def fixed_plan(
    header: Header, document: Mapping[str, Any], where: str
) -> tuple[Header, Mapping[str, Any]]:
    """Return the header with the plan that the pilot fixed, and the pilot's result.

    ``document`` is that line of the log. Raise InputError naming ``where`` for a plan that does
    not continue the header's.
    """
    named = {name: in_form(value, header.form) for name, value in document.items()}
    values = _checked("fixed-plan", named, where, "broken plan")
    plan = _plan(values, header.form, where)
    begun = replace(
        plan,
        design=header.plan.design,
        blocks=header.plan.blocks,
        runs=plan.runs[: len(header.plan.runs)],
    )
    if begun != header.plan:
        raise InputError(f"{where}: the plan does not go on from the header's", REMEDY)
    return replace(header, plan=plan, plan_sha256=values["plan_sha256"]), values["outlook"]


def look_from(
    document: Mapping[str, Any], plan: Plan, before: Sequence[Look], runs: int, where: str
) -> Look:
    """Return the look in a line of the log of a session with that plan.

    ``before`` are the earlier looks, ``runs`` the number of runs before the line. Raise InputError
    naming ``where`` for a look that does not fit them.
    """
    values = _checked("look", document, where)
    if plan.stopping is None:
        raise InputError(f"{where}: a look at a session without a stopping rule", REMEDY)
    if before and before[-1].ending is not None:
        raise InputError(f"{where}: a look after the one that ended the session", REMEDY)
    claimed = values["runs"]
    if claimed != runs:
        raise InputError(f"{where}: a look after {claimed} runs, {runs} are before it", REMEDY)
    lead = tuple(LookedAt(**each) for each in values["lead"])
    return Look(**{**values, "lead": lead})


def executable_from(document: Mapping[str, Any], where: str) -> ExecutableRun:
    """Return the run of the executable in a line of the log. Raise InputError naming ``where``."""
    values = dict(_checked("executable", document, where, "broken executable"))
    return ExecutableRun(output=values.pop("said"), **values)


def executable_document(run: ExecutableRun) -> dict[str, Any]:
    """Return the run of the executable as JSON values, as in its line of the log."""
    values: dict[str, Any] = values_of(run)
    values["said"] = values.pop("output")
    return values


def entry_from(document: Mapping[str, Any], where: str) -> RunEntry:
    """Return the run in a line of the log. Raise InputError naming ``where``."""
    if document.get("type") != "run":
        raise InputError(f"{where}: not a run", REMEDY)
    record = document.get("record")
    values = _checked("run", {**document, "record": None}, where)
    if record is not None:
        _refuse(problems("record", record), f"{where}: record")
        values["record"] = record_from(record)
        _refuse(_unlike(values, values["record"]), f"{where}: record")
    values["host"] = HostConditions(**values["host"])
    values["gpu"] = None if values["gpu"] is None else telemetry_from(values["gpu"])
    return RunEntry(**values)


def _unlike(values: Mapping[str, Any], record: Record) -> list[str]:
    """Return the differences of a record from its line, and its wrong indices."""
    twice = [
        f"{name}: {getattr(record, name)!r}, the line says {values[name]!r}"
        for name in ("run_id", "arm", "kind")
        if getattr(record, name) != values[name]
    ]
    return [*twice, *misnumbered(record.fits)]


def _shard(values: Mapping[str, Any], where: str) -> Shard:
    shard = Shard(**values)
    _refuse([f"shard {shard} of {shard.of}"] if shard.number > shard.of else [], where)
    return shard


def _merged(values: Mapping[str, Any], where: str) -> MergedShard:
    return MergedShard(
        **{
            **values,
            "shard": _shard(values["shard"], where),
            "notes": tuple(Note(**note) for note in values["notes"]),
            "differing": {arm: tuple(names) for arm, names in values["differing"].items()},
        }
    )


def _plan(values: Mapping[str, Any], form: int, where: str) -> Plan:
    """Return the plan of a line, with today's names, checked against the line's hash of it."""
    _refuse(problems("plan", values["plan"]), f"{where}: broken plan")
    plan = plan_from(values["plan"])
    if plan_sha256(plan, form) != values["plan_sha256"]:
        raise InputError(f"{where}: the plan does not match its own hash", REMEDY)
    _refuse(list(contradictions(plan)), f"{where}: the plan contradicts itself")
    return plan


def _checked(
    schema: str, document: Mapping[str, Any], where: str, what: str = ""
) -> dict[str, Any]:
    """Return the line's fields without its type, checked against the schema."""
    values = {key: value for key, value in document.items() if key != "type"}
    _refuse(problems(schema, values), f"{where}: {what}" if what else where)
    return values


def _refuse(broken: list[str], where: str) -> None:
    if broken:
        raise InputError(f"{where}: {'; '.join(broken[:_NAMED])}", REMEDY)


def _encodable(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
