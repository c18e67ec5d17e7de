"""Writing files so that a crash never leaves half of one looking whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from kit.errors import HostError


def write_whole(path: Path, content: bytes) -> None:
    """Write to a temporary name, sync, rename. Raises HostError, e.g. on a full disk."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise HostError(
            f"{path}: cannot be written ({error.strerror})",
            "free disk space or choose a writable place",
        ) from error


def write_below(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write every file below that folder, by its path there. Raises HostError."""
    for name, content in contents.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HostError(
                f"{path.parent}: cannot be made ({error.strerror})", "choose a writable place"
            ) from error
        write_whole(path, content)
