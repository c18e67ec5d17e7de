"""Sessions and their studies, read from results folders, and the studies kept in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kit.errors import InputError
from kit.files.write import write_tree
from kit.records.session import Session
from kit.results import ABLATION, RUN_LOG, SBOMS, STUDY
from kit.results.folder import open_results
from kit.results.runlog import read_session
from kit.study.folder import RULES, open_study
from kit.study.load import shipped_study, study_in
from kit.study.model import Study


@dataclass(frozen=True)
class Opened:
    """A session as read from its log, and the study it was measured for."""

    folder: Path
    session: Session
    study: Study
    size_bytes: int
    """Size of the log when it was read; a log only grows."""

    @cached_property
    def explanation(self) -> Session | None:
        """Return the ablation session in the folder; None for none.

        Raise InputError naming file, line and field if it cannot be read.
        """
        with open_results(self.folder) as results:
            exists = results.holds(f"{ABLATION}/{RUN_LOG}")
        return read_session(self.folder / ABLATION) if exists else None

    def again(self) -> Opened:
        """Return this session or, if its log has grown, the session as read again.

        Raise InputError as ``open_session``.
        """
        return self if _size(self.folder) == self.size_bytes else open_session(self.folder)


def open_session(folder: Path) -> Opened:
    """Read the session in a folder, and its study.

    Raise InputError naming file, line and field, or the study that does not match.
    """
    size = _size(folder)  # first, so that ``again`` notices lines added during the reading
    session = read_session(folder)
    study = study_for(folder, session.header.plan.study_sha256)
    return Opened(folder, session, study, size)


def open_begun(folder: Path) -> Opened:
    """Read the session in a folder, to resume it.

    Raise InputError as ``open_session``, and for a session that ended before its first run.
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


def save_snapshot(study: Study, session: Path) -> None:
    """Copy every file of the study next to the session's log, to judge it again anywhere.

    Files keep whether their owner may execute them, as in the contexts of image builds. Raise
    KitError if a file cannot be read or written.
    """
    if study.folder is not None:
        with open_study(study.folder) as opened:
            found = {f"{STUDY}/{name}": opened.read(name) for name in opened.files()}
            programs = {name for name in found if opened.executable(name.removeprefix(f"{STUDY}/"))}
        write_tree(session, found, programs)


def study_for(session: Path, sha256: str) -> Study:
    """Return the study that a session was measured for, from its results folder.

    That is the session's copy or, without one, the shipped study. ``sha256`` is the hash in the
    session's plan. Raise InputError if that of the study is another.
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
            "use the complete results folder as kit wrote it",
        )
    return study
