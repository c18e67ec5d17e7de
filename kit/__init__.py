"""kit: a containerized reproducibility kit."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kit.app.notebook import Results

__all__ = ["__version__", "open_results"]
__version__ = "0.2.0"


def open_results(folder: str | PathLike[str]) -> Results:
    """Return the session in a results folder: its claims, runs and samples as pandas frames.

    The session is judged from its log, as ``kit judge`` does; nothing is written. Raise
    ``kit.errors.InputError``, with ``problem`` and ``remedy``, for a folder that kit refuses.
    """
    from pathlib import Path

    from kit.app.notebook import open_folder

    return open_folder(Path(folder))
