"""The copy of its study that a session keeps: results can be judged again anywhere."""

from __future__ import annotations

from pathlib import Path

from kit.errors import InputError
from kit.files.write import write_below
from kit.results.names import STUDY
from kit.results.folder import open_results
from kit.study.folder import RULES, open_study
from kit.study.load import shipped_study, study_in
from kit.study.model import Study


def keep_study(study: Study, session: Path) -> None:
    """Put every file of the study beside the session's log.

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
