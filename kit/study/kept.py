"""The copy of its study that a session keeps: results can be judged again anywhere."""

from __future__ import annotations

from pathlib import Path

from kit.errors import InputError
from kit.files import write_below
from kit.study.load import load_study, shipped_study, study_files
from kit.study.model import Study

FOLDER = "study"


def keep_study(study: Study, session: Path) -> None:
    """Put every file of the study beside the session's log."""
    if study.folder is not None:
        write_below(session / FOLDER, study_files(study.folder))


def study_for(session: Path, sha256: str) -> Study:
    """The study a session was measured for, by the hash in its plan.

    Its own copy, else the shipped one. Raises InputError where neither is it.
    """
    kept = session / FOLDER
    study = load_study(kept) if kept.is_dir() else shipped_study()
    if study.sha256 != sha256:
        where = f"{kept} was changed" if kept.is_dir() else f"{session} keeps no copy of its study"
        raise InputError(
            f"{where}: its plan names study {sha256[:12]}, this one is {study.sha256[:12]}",
            "take the whole results folder as it was written",
        )
    return study
