"""The bills of materials, by the sums that the log's header has of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kit.results.folder import open_results
from kit.results.names import SBOMS
from kit.results.session import Session


def differences(folder: Path, session: Session) -> Iterator[str]:
    """Yield each bill of materials that is missing or not the one the session wrote.

    Logs of older kits have no sums of them. Raise InputError for one that is no plain file.
    """
    with open_results(folder) as results:
        for file, digest in session.header.sboms.items():
            name = f"{SBOMS}/{file}"
            if not results.holds(name):
                yield f"{name} is missing"
            elif results.sha256(name) != digest:
                yield f"{name} is not the one that the log names"
