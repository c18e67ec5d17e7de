"""The one door to a results folder: its log is read once, and its study with it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kit.errors import InputError
from kit.files.write import write_below
from kit.records.session import Session
from kit.results.folder import open_results
from kit.results.names import ABLATION, RUN_LOG, SBOMS, STUDY
from kit.results.runlog import read_session
from kit.study.folder import RULES, open_study
from kit.study.load import shipped_study, study_in
from kit.study.model import Study


@dataclass(frozen=True)
class Opened:
    """A session as its log was when it was read, and the study it was measured for."""

    folder: Path
    session: Session
    study: Study
    size_bytes: int
    """The log's, which only grows."""

    @cached_property
    def explanation(self) -> Session | None:
        """The explanation inside it, if there is one. Raises InputError."""
        with open_results(self.folder) as results:
            there = results.holds(f"{ABLATION}/{RUN_LOG}")
        return read_session(self.folder / ABLATION) if there else None

    def again(self) -> Opened:
        """This, or the session as its log is now, where that has grown. Raises InputError."""
        return self if _size(self.folder) == self.size_bytes else open_session(self.folder)


def open_session(folder: Path) -> Opened:
    """Read the session in that folder. Raises InputError naming file, line and field."""
    size = _size(folder)  # before it is read: what is added meanwhile is then read again
    session = read_session(folder)
    study = study_for(folder, session.header.plan.study_sha256)
    return Opened(folder, session, study, size)


def open_begun(folder: Path) -> Opened:
    """Read the session in that folder, to go on with it.

    Raises InputError as ``open_session``; it says so where nothing was measured yet.
    """
    try:
        return open_session(folder)
    except InputError as error:
        with open_results(folder) as results:
            made = any(results.holds_folder(name) for name in (SBOMS, STUDY))
            begun = b"\n" in results.read(RUN_LOG) if results.holds(RUN_LOG) else not made
        if begun:
            raise
        raise InputError(
            f"{folder}: the session was ended before its first run; nothing was measured",
            "start a new session; this folder can be removed",
        ) from error


def _size(folder: Path) -> int:
    with open_results(folder) as results:
        return results.size(RUN_LOG)


def keep_study(study: Study, session: Path) -> None:
    """Put every file of the study beside the session's log, to judge it again anywhere.

    Whether its owner may execute a file is kept, as in the contexts of image builds.
    """
    if study.folder is not None:
        with open_study(study.folder) as opened:
            found = {f"{STUDY}/{name}": opened.read(name) for name in opened.files()}
            programs = {name for name in found if opened.executable(name.removeprefix(f"{STUDY}/"))}
        write_below(session, found, programs)


def study_for(session: Path, sha256: str) -> Study:
    """The study a session was measured for, by the hash in its plan.

    Its own copy, else the shipped one. Raises InputError where neither is it.
    """
    with open_results(session) as results:
        kept = results.holds_folder(STUDY)
        if kept:
            with results.below(STUDY, RULES) as opened:
                study = study_in(opened)
        else:
            study = shipped_study()
    if study.sha256 != sha256:
        changed = f"{session / STUDY} was changed"
        where = changed if kept else f"{session} keeps no copy of its study"
        raise InputError(
            f"{where}: its plan names study {sha256[:12]}, this one is {study.sha256[:12]}",
            "take the whole results folder as it was written",
        )
    return study
