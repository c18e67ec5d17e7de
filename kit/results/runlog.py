"""The run log: append-only JSON lines, each on disk before the next run starts.

The first line is the session's header; the others are runs, the run of the executable, the
plan that a pilot fixed, and looks at a group-sequential session. A crash in the middle of a
line leaves a torn last line, which ``read_session`` leaves out and marks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kit.errors import HostError, InputError
from kit.files.documents import values_of
from kit.files.write import append, last_line, truncate_partial_line
from kit.plan.make import plan_sha256
from kit.plan.model import FORM, Plan, in_form, plan_document
from kit.records.images import ExecutableRun
from kit.records.record import record_document
from kit.records.session import Header, Look, Piloted, RunEntry, Session
from kit.results import RUN_LOG
from kit.results.folder import REMEDY, RUN_LOG_BYTES, open_results
from kit.results.lines import (
    LINE,
    PREVIOUS_SHA256,
    entry_from,
    executable_document,
    executable_from,
    fixed_plan,
    header_from,
    look_from,
    parsed,
)

EXECUTABLE = "executable"
"""The type of the line with the run of the executable."""
PLAN = "plan"
"""The type of the line with the plan that the pilot fixed."""
LOOK = "look"
"""The type of the line with a look at a group-sequential session."""


class RunLog:
    """A session's log file, open for appending."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def create(cls, folder: Path, header: Header) -> RunLog:
        """Create the log of a new session in a folder, with that header; return it.

        The log gets the header's form: a merged session keeps that of its shards, which tells how
        their plan was made. Raise InputError if the folder has a log, HostError if it cannot be
        written.
        """
        log = cls(folder / RUN_LOG)
        document = {"type": "header", "schema": header.form, **_header_document(header)}
        try:
            log._append(document, new=True)
        except FileExistsError as error:
            raise InputError(
                f"{log._path}: holds a session already", "choose another --out"
            ) from error
        return log

    @classmethod
    def reopen(cls, folder: Path) -> RunLog:
        """Return the log in a session's folder, to append to it when the session is resumed."""
        return cls(folder / RUN_LOG)

    def add(self, entry: RunEntry, record: Mapping[str, Any] | None) -> None:
        """Append a run, its record as the program wrote it, and sync it to disk.

        Raise HostError if the log cannot be written, as every method that appends.
        """
        document = values_of(replace(entry, record=None))
        self._append({"type": "run", **document, "record": record})

    def add_executable(self, run: ExecutableRun) -> None:
        """Append the run of the executable, and sync it to disk."""
        self._append({"type": EXECUTABLE, **executable_document(run)})

    def add_entries(self, entries: Iterable[RunEntry]) -> None:
        """Append runs, each as the log of another session (such as a shard) has it."""
        for entry in entries:
            record = entry.record
            self.add(entry, None if record is None else record_document(record))

    def add_plan(self, plan: Plan, outlook: Mapping[str, Any], form: int = FORM) -> None:
        """Append the plan that the pilot fixed, and the pilot's result, to a log of that form."""
        document = {
            "plan": in_form(plan_document(plan), form),
            "plan_sha256": plan_sha256(plan, form),
            "outlook": in_form(outlook, form),
        }
        self._append({"type": PLAN, **document})

    def add_look(self, look: Look) -> None:
        """Append a look at a group-sequential session, and sync it to disk."""
        self._append({"type": LOOK, **values_of(look)})

    def _append(self, document: Mapping[str, Any], new: bool = False) -> None:
        try:
            before = b"" if new else last_line(self._path)
            previous = hashlib.sha256(before).hexdigest() if before else ""
            number = json.loads(before)[LINE] + 1 if before else 1
            tied = {**document, PREVIOUS_SHA256: previous, LINE: number}
            line = json.dumps(tied, sort_keys=True, allow_nan=False)
            append(self._path, line.encode() + b"\n", RUN_LOG_BYTES, new)
        except FileExistsError:
            raise
        except OSError as error:
            raise HostError(
                f"{self._path}: cannot be written ({error.strerror})",
                "free disk space or choose a writable --out, then --resume",
            ) from error


def broken_chain(folder: Path) -> list[str]:
    """Return one line of text per line of the log that breaks the hash chain or the numbering.

    Raise InputError if the log cannot be read.
    """
    broken = []
    before = ""
    for number, line in enumerate(_content(folder).split(b"\n")[:-1], start=1):
        try:
            document = json.loads(line)
            previous, own = document.get(PREVIOUS_SHA256), document.get(LINE)
        except (ValueError, AttributeError, RecursionError):
            previous = own = None
        if previous != before:
            broken.append(f"{RUN_LOG}, line {number}: an earlier line was changed or taken out")
        elif own != number:
            broken.append(f"{RUN_LOG}, line {number}: was line {own} when it was written")
        before = hashlib.sha256(line).hexdigest()
    return broken


def _content(folder: Path) -> bytes:
    with open_results(folder) as results:
        return results.read(RUN_LOG)


def read_session(folder: Path) -> Session:
    """Return the session in a folder. Raise InputError naming file, line and field."""
    path = folder / RUN_LOG
    text = _content(folder).decode("utf-8", errors="replace")
    lines = text.split("\n")
    torn = lines.pop()
    if not lines:
        raise InputError(f"{path}: holds no complete line", REMEDY)
    documents = [parsed(line, f"{path}, line {n}") for n, line in enumerate(lines, start=1)]
    header = header_from(documents[0], f"{path}, line 1")
    entries: list[RunEntry] = []
    looks: list[Look] = []
    executable = outlook = piloted = None
    once: dict[str, int] = {}
    for number, document in enumerate(documents[1:], start=2):
        where, kind = f"{path}, line {number}", document.get("type")
        if kind in (EXECUTABLE, PLAN):
            # kit cannot know which of two such lines is the original.
            first = once.setdefault(kind, number)
            if first != number:
                raise InputError(f"{where}: a second {kind}, line {first} is one already", REMEDY)
        if kind == EXECUTABLE:
            executable = executable_from(document, where)
        elif kind == PLAN:
            piloted = Piloted(header.plan, len(entries))
            header, outlook = fixed_plan(header, document, where)
        elif kind == LOOK:
            looks.append(look_from(document, header.plan, looks, len(entries), where))
        else:
            entries.append(entry_from(document, where))
    return Session(header, tuple(entries), bool(torn), executable, outlook, piloted, tuple(looks))


def drop_torn_line(folder: Path) -> None:
    """Cut off a torn last line, before a resumed session appends to the log.

    Raise HostError if the log cannot be written.
    """
    path = folder / RUN_LOG
    try:
        truncate_partial_line(path)
    except OSError as error:
        raise HostError(
            f"{path}: cannot be written ({error.strerror})", "make it writable, then --resume"
        ) from error


def _header_document(header: Header) -> dict[str, Any]:
    document = values_of(header)
    document["plan"] = in_form(plan_document(header.plan), header.form)
    del document["form"]
    return document
