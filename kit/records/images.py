"""The images that a session used, and how they differ from the publication's environment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Component:
    """One row of the fidelity table. ``exact`` False means substituted.

    ``details`` continue ``why``: why each better choice was not available.
    """

    name: str
    wanted: str
    got: str
    exact: bool
    why: str
    details: tuple[str, ...] = ()


def without_proof(names: Iterable[str], rows: Iterable[Component]) -> tuple[str, ...]:
    """Return the named components that have no row, or a row that is not exact.

    Names are compared without regard to case.
    """
    exact: dict[str, bool] = {}
    for row in rows:
        name = row.name.casefold()
        exact[name] = exact.get(name, True) and row.exact
    return tuple(name for name in names if not exact.get(name.casefold(), False))


@dataclass(frozen=True)
class ArmImage:
    """The image an arm ran in. ``image_id`` is the engine's, of content and time.

    ``content_sha256`` is over the file tree without its times, so that an image
    built again elsewhere can be compared; empty where it was not computed.
    """

    arm: str
    reference: str
    image_id: str
    size_bytes: int
    content_sha256: str = ""


KINDS = ("self-contained", "apphost")
"""With the .NET runtime inside it, or with the runtime's folder next to it."""


@dataclass(frozen=True)
class ExecutableRun:
    """One run of the published executable, on a system with nothing else.

    ``missing`` is the first missing thing that it named, "" for none. ``started``: the
    program's code ran. ``trained``: it left a complete record.
    """

    reference: str
    image_id: str
    size_bytes: int
    kind: str
    started: bool
    trained: bool
    missing: str
    exit_code: int | None
    output: str
