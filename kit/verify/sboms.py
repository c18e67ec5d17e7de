"""Check of the bills of materials against their checksums in the log's header."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kit.records.session import Session
from kit.results.folder import open_results
from kit.results.names import SBOMS
from kit.verify.result import CheckResult, check_result

WHAT = "bills of materials"


def check(folder: Path, session: Session) -> CheckResult:
    """Compare each bill of materials with its sum in the header.

    A header without sums is valid. Raise InputError if the folder cannot be read.
    """
    if session.header.sboms:
        return check_result(WHAT, lambda: _differences(folder, session), "the log's")
    with open_results(folder) as results:
        there = results.holds_folder(SBOMS)
    if there:
        return CheckResult(WHAT, (), "", (f"{SBOMS}/: the log has no sums of them",))
    return CheckResult(WHAT, (), "the session wrote none", absent=True)


def _differences(folder: Path, session: Session) -> Iterator[str]:
    """Yield each bill of materials that is missing or differs from its sum.

    Raise InputError for one that is not a plain file.
    """
    with open_results(folder) as results:
        for file, digest in session.header.sboms.items():
            name = f"{SBOMS}/{file}"
            if not results.holds(name):
                yield f"{name} is missing"
            elif results.sha256(name) != digest:
                yield f"{name} is not the one that the log names"
