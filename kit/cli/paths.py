"""Parameter types of files and folders; they refuse paths that would make a command wait."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, NoReturn

import click

from kit.errors import InputError
from kit.files.plain import open_named, refuse_large, refuse_other

SMALL_FILE = 10_000_000
"""Maximum size in bytes of a key, a list of signers or a lock file of packages."""


class NamedPath(click.Path):
    """A path that is refused by name if it leads to another kind of file."""

    def __init__(self, wanted: int, exists: bool, limit: int | None = None) -> None:
        folder = wanted == stat.S_IFDIR
        super().__init__(exists=exists, file_okay=not folder, dir_okay=folder, path_type=Path)
        self._wanted = wanted
        self._limit = limit

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path. Raises InputError for another kind of file and one over the limit."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        try:
            self._check(path)
        except FileNotFoundError:
            if self.exists:
                raise
        except (OSError, ValueError) as error:
            self._unreadable(path, error)
        return path

    def _check(self, path: Path) -> None:
        refuse_other(path, path.stat(), self._wanted)
        if self._limit is not None:
            descriptor = open_named(path)
            try:
                refuse_large(path, os.fstat(descriptor), self._limit)
            finally:
                os.close(descriptor)

    def _unreadable(self, path: Path, error: Exception) -> NoReturn:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({reason})", "name another path") from error


FOLDER = NamedPath(stat.S_IFDIR, exists=True)
NEW_FOLDER = NamedPath(stat.S_IFDIR, exists=False)
FILE = NamedPath(stat.S_IFREG, exists=True)
"""A file of any size; its reader limits the bytes it reads."""
SMALL = NamedPath(stat.S_IFREG, exists=True, limit=SMALL_FILE)
NEW_FILE = NamedPath(stat.S_IFREG, exists=False)
