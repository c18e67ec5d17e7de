"""What became of the published executable on a system with nothing else."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("self-contained", "apphost")
"""With the .NET runtime inside it, or with the runtime's folder beside it."""


@dataclass(frozen=True)
class ExecutableRun:
    """One run of the executable. ``missing`` is what it named first, "" where nothing.

    ``started``: the program's own code ran. ``trained``: it left a whole record.
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
