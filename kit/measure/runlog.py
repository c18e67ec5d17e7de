"""The run log: append-only JSON lines, each on disk before the next run starts.

The first line is the session's header, every further one a run. A crash in the
middle of a line leaves a torn last line, which reading leaves out and names.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from kit.errors import HostError, InputError
from kit.gpu.facts import check_from, sample_from
from kit.images.fidelity import ArmImage, Component
from kit.measure.executable import ExecutableRun
from kit.measure.record import record_document, record_from
from kit.measure.session import Header, HostFacts, HostSample, RunEntry, Session
from kit.plan.document import plan_document, plan_from
from kit.plan.make import plan_sha256
from kit.plan.model import Plan
from kit.schemas import problems

NAME = "runlog.jsonl"
EXECUTABLE = "executable"
"""The type of the line that says what became of the executable."""
PLAN = "plan"
"""The type of the line with the plan as the pilot fixed it."""
AFTER = "after"
"""In every line: the sum of the line before it, so that none can be changed alone."""
SCHEMA = 3
REMEDY = "give the folder of a session that `kit reproduce` made"


class RunLog:
    """A session's log file, open for appending."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def create(cls, folder: Path, header: Header) -> RunLog:
        """A new log with that header. Raises HostError when it cannot be written."""
        log = cls(folder / NAME)
        if log._path.exists():
            raise InputError(
                f"{log._path}: there is a session here already", "choose another --out"
            )
        log._append({"type": "header", "schema": SCHEMA, **_header_document(header)})
        return log

    @classmethod
    def reopen(cls, folder: Path) -> RunLog:
        """The log of a session that goes on."""
        return cls(folder / NAME)

    def add(self, entry: RunEntry, record: Mapping[str, Any] | None) -> None:
        """Append a run, its record as the program wrote it, and sync it to disk."""
        document = asdict(entry)
        document["record"] = record
        self._append({"type": "run", **document})

    def add_executable(self, run: ExecutableRun) -> None:
        """Append what became of the executable, and sync it to disk."""
        self._append({"type": EXECUTABLE, **asdict(run)})

    def add_entries(self, entries: Iterable[RunEntry]) -> None:
        """Append runs as another session's log had them."""
        for entry in entries:
            record = entry.record
            self.add(entry, None if record is None else record_document(record))

    def add_plan(self, plan: Plan, outlook: Mapping[str, Any]) -> None:
        """Append the plan as it is from here on, and what it was fixed by."""
        document = {"plan": plan_document(plan), "plan_sha256": plan_sha256(plan)}
        self._append({"type": PLAN, **document, "outlook": dict(outlook)})

    def _append(self, document: Mapping[str, Any]) -> None:
        try:
            chained = {**document, AFTER: _last_sum(self._path)}
            line = json.dumps(chained, sort_keys=True, allow_nan=False) + "\n"
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(line)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise HostError(
                f"{self._path}: cannot be written ({error.strerror})",
                "free disk space or choose a writable --out, then --resume",
            ) from error


def _last_sum(path: Path) -> str:
    """The sum of the log's last line; empty for the first."""
    if not path.exists():
        return ""
    lines = path.read_bytes().splitlines()
    return hashlib.sha256(lines[-1]).hexdigest() if lines else ""


def broken_chain(folder: Path) -> list[str]:
    """Where a line of the log does not follow the one that was there when it was written."""
    lines = (folder / NAME).read_bytes().split(b"\n")[:-1]
    broken = []
    before = ""
    for number, line in enumerate(lines, start=1):
        try:
            after = json.loads(line).get(AFTER)
        except (ValueError, AttributeError):
            after = None
        if after != before:
            broken.append(f"{NAME}, line {number}: an earlier line was changed or taken out")
        before = hashlib.sha256(line).hexdigest()
    return broken


def read_session(folder: Path) -> Session:
    """The session in that folder. Raises InputError naming file, line and field."""
    path = folder / NAME
    try:
        text = path.read_bytes().decode("utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})", REMEDY) from error
    lines = text.split("\n")
    torn = lines.pop()
    notes = ("The log's last line was torn by an interruption and is left out.",) if torn else ()
    if not lines:
        raise InputError(f"{path}: holds no complete line", REMEDY)
    documents = [_document(line, path, number) for number, line in enumerate(lines, start=1)]
    header = _header(documents[0], path)
    entries = []
    executable = outlook = None
    for number, document in enumerate(documents[1:], start=2):
        if document.get("type") == EXECUTABLE:
            executable = _executable(document, path, number)
        elif document.get("type") == PLAN:
            header, outlook = _fixed_plan(header, document, path, number)
        else:
            entries.append(_entry(document, path, number))
    return Session(header, tuple(entries), notes, executable, outlook)


def drop_torn_line(folder: Path) -> None:
    """Cut a torn last line off, before a resumed session appends to the log."""
    path = folder / NAME
    with path.open("rb+") as stream:
        content = stream.read()
        end = content.rfind(b"\n") + 1
        if end < len(content):
            stream.truncate(end)
            os.fsync(stream.fileno())


def _fixed_plan(
    header: Header, document: dict[str, Any], path: Path, number: int
) -> tuple[Header, Mapping[str, Any]]:
    """The header with the plan that took the pilot's place; it must hold that one."""
    where = f"{path}, line {number}"
    try:
        plan, outlook = plan_from(document["plan"]), dict(document["outlook"])
        recorded = document["plan_sha256"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{where}: broken plan ({error})", REMEDY) from error
    if plan_sha256(plan) != recorded:
        raise InputError(f"{where}: the plan does not match its own hash", REMEDY)
    if plan.runs[: len(header.plan.runs)] != header.plan.runs:
        raise InputError(f"{where}: the plan does not go on from the header's", REMEDY)
    return replace(header, plan=plan, plan_sha256=recorded), outlook


def _executable(document: dict[str, Any], path: Path, number: int) -> ExecutableRun:
    values = {key: value for key, value in document.items() if key != "type"}
    try:
        return ExecutableRun(**values)
    except TypeError as error:
        raise InputError(f"{path}, line {number}: broken executable ({error})", REMEDY) from error


def _document(line: str, path: Path, number: int) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except ValueError as error:
        raise InputError(f"{path}, line {number}: not JSON ({error})", REMEDY) from error
    if not isinstance(document, dict):
        raise InputError(f"{path}, line {number}: not an object", REMEDY)
    document.pop(AFTER, None)
    return document


def _header_document(header: Header) -> dict[str, Any]:
    document = asdict(header)
    document["plan"] = plan_document(header.plan)
    return document


def _header(document: dict[str, Any], path: Path) -> Header:
    if document.get("type") != "header":
        raise InputError(f"{path}, line 1: not a session's header", REMEDY)
    if document.get("schema") != SCHEMA:
        raise InputError(
            f"{path}, line 1: schema {document.get('schema')!r}, this kit reads {SCHEMA}",
            "use the version of the kit that wrote it",
        )
    try:
        header = Header(
            session_id=document["session_id"],
            kit_version=document["kit_version"],
            created=document["created"],
            command=document["command"],
            plan=plan_from(document["plan"]),
            plan_sha256=document["plan_sha256"],
            images={arm: ArmImage(**image) for arm, image in document["images"].items()},
            fidelity=tuple(Component(**row) for row in document["fidelity"]),
            host=HostFacts(**document["host"]),
            gpu=None if document["gpu"] is None else check_from(document["gpu"]),
            shard=document["shard"],
            shards=tuple(document["shards"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}, line 1: broken header ({error})", REMEDY) from error
    if plan_sha256(header.plan) != header.plan_sha256:
        raise InputError(f"{path}, line 1: the plan does not match its own hash", REMEDY)
    return header


def _entry(document: dict[str, Any], path: Path, number: int) -> RunEntry:
    values = {key: value for key, value in document.items() if key != "type"}
    if document.get("type") != "run":
        raise InputError(f"{path}, line {number}: not a run", REMEDY)
    broken = problems("run", {**values, "record": None})
    if broken:
        raise InputError(f"{path}, line {number}: {'; '.join(broken[:3])}", REMEDY)
    record = values.get("record")
    if record is not None:
        broken = problems("record", record)
        if broken:
            raise InputError(f"{path}, line {number}: record: {'; '.join(broken[:3])}", REMEDY)
        values["record"] = record_from(record)
    try:
        values["host"] = HostSample(**values["host"])
        values["gpu"] = None if values["gpu"] is None else sample_from(values["gpu"])
        return RunEntry(**values)
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}, line {number}: broken run ({error})", REMEDY) from error
