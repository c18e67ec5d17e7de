"""The images that a session's arms ran in, and how true they are to the study."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Component:
    """One row of the fidelity table. ``exact`` False means substituted.

    ``details`` go on where ``why`` ends: what each better choice answered.
    """

    name: str
    wanted: str
    got: str
    exact: bool
    why: str
    details: tuple[str, ...] = ()


def without_proof(names: Iterable[str], rows: Iterable[Component]) -> tuple[str, ...]:
    """Return those of the components that no row, or not every one, says to be exact.

    Names are the same in any case of their letters.
    """
    exact: dict[str, bool] = {}
    for row in rows:
        name = row.name.casefold()
        exact[name] = exact.get(name, True) and row.exact
    return tuple(name for name in names if not exact.get(name.casefold(), False))


@dataclass(frozen=True)
class ArmImage:
    """The image an arm ran in. ``image_id`` is the engine's own, by content and time.

    ``content_sha256`` is over the file tree without its times, so that an image
    built again elsewhere can be compared; empty where it was not worked out.
    """

    arm: str
    reference: str
    image_id: str
    size_bytes: int
    content_sha256: str = ""


KINDS = ("self-contained", "apphost")
"""With the .NET runtime inside it, or with the runtime's folder beside it."""


@dataclass(frozen=True)
class ExecutableRun:
    """One run of the published executable, on a system with nothing else.

    ``missing`` is what it named first, "" where nothing. ``started``: the program's
    own code ran. ``trained``: it left a whole record.
    """

    reference: str
    image_id: str
    size_bytes: int
    kind: str
    started: bool
    trained: bool
    missing: str
    exit_code: int | None
    said: str
