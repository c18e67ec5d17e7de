"""The bills of materials, by the sums that the log's header has of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kit.images.sbom import sbom_name
from kit.measure.session import Session
from kit.plan.model import EXPLAIN
from kit.results.folder import SBOMS, open_results


def differences(folder: Path, session: Session) -> Iterator[str]:
    """Yield each bill of materials that is missing or not the one the session wrote.

    Logs of older kits have no sums of them, and an explanation writes none. Raise InputError
    for one that is no plain file.
    """
    if session.header.plan.purpose == EXPLAIN:
        return
    with open_results(folder) as results:
        for arm, image in session.header.images.items():
            name = f"{SBOMS}/{sbom_name(arm)}"
            if not image.sbom_sha256:
                continue
            if not results.holds(name):
                yield f"{name} is missing"
            elif results.sha256(name) != image.sbom_sha256:
                yield f"{name} is not the one that the log names"
