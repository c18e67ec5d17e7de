"""Opening of plain files and folders, one path component after another.

A folder may contain what anyone put there: a link that leads out of it, a pipe that nobody
writes to, a device. Reading (``kit.files.folder``) and writing (``kit.files.write``) go
through here, and both refuse these by name. Links are followed only where a user named them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from kit.errors import FileError

REMOVE = "remove it, or take the folder as it was written"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Opening a pipe without O_NONBLOCK waits for its other end.
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_KINDS = (
    (stat.S_ISLNK, "a link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def parts_of(path: Path, name: str) -> list[str]:
    """Return the components of ``name``, a path below a folder, split at its slashes.

    ``path`` is its name in messages. Raise InputError for one that is absolute, leads upwards or
    is empty.
    """
    parts = name.split("/")
    if "\0" in name or any(part in ("", ".", "..") for part in parts):
        raise FileError(path, f"{name!r} is not a path inside this folder", "use another name")
    return parts


@contextmanager
def open_directory(path: Path) -> Iterator[int]:
    """Open the folder that a user named and yield its descriptor; a link there is followed.

    Raise OSError.
    """
    descriptor = os.open(path, _FOLDER)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def open_subdirectory(
    top: int, path: Path, parts: Sequence[str], make: bool = False
) -> Iterator[int]:
    """Open the folder at ``parts`` below the descriptor ``top``, and yield its descriptor.

    ``make`` creates missing folders. ``path`` is the name of ``top`` in messages. Raise InputError
    for anything but a folder, also for a link to one, and OSError.
    """
    held = os.dup(top)
    try:
        for part in parts:
            path = path / part
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=held)
            try:
                inside = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=held)
            except OSError as error:
                require_file_type(held, part, path, stat.S_IFDIR)
                raise error
            os.close(held)
            held = inside
        yield held
    finally:
        os.close(held)


def open_file(folder: int, name: str, path: Path, flags: int = os.O_RDONLY) -> int:
    """Open the plain file ``name`` in a folder, given by its descriptor; return a descriptor.

    ``path`` is its name in messages. Raise InputError for anything but a plain file, and OSError.
    """
    # Opening a device may trigger an action: check before, and again after opening.
    require_file_type(folder, name, path, stat.S_IFREG)
    descriptor = os.open(name, flags | _FILE, dir_fd=folder)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise refusal(path, found, stat.S_IFREG)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def open_named(path: Path, flags: int = os.O_RDONLY) -> int:
    """Open the file that a user named, for reading or with other flags; a link is followed.

    Raise InputError for a pipe, a device or a folder, and OSError.
    """
    # Opening a device may trigger an action: check before, and again after opening.
    with suppress(FileNotFoundError):
        refuse_other(path, path.stat(), stat.S_IFREG)
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    try:
        refuse_other(path, os.fstat(descriptor), stat.S_IFREG)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_named(path: Path, limit: int) -> bytes:
    """Return the content of the file that a user named, of at most ``limit`` bytes.

    Raise InputError for more, for a pipe, a device or a folder, and OSError.
    """
    with os.fdopen(open_named(path), "rb") as stream:
        refuse_large(path, os.fstat(stream.fileno()), limit)
        return stream.read(limit)


def refuse_other(path: Path, found: os.stat_result, wanted: int) -> None:
    """Raise InputError where a path that a user named is not of that type (``stat.S_IF...``)."""
    if stat.S_IFMT(found.st_mode) != wanted:
        what = "folder" if wanted == stat.S_IFDIR else "plain file"
        raise FileError(path, refusal(path, found, wanted).what, f"name a {what}")


def refuse_large(path: Path, found: os.stat_result, limit: int) -> None:
    """Raise InputError where the file that a user named has more than ``limit`` bytes."""
    if found.st_size > limit:
        raise FileError(
            path,
            f"has {found.st_size:,} bytes, at most {limit:,} are read",
            "name the file that the option asks for",
        )


def require_file_type(folder: int, name: str, path: Path, wanted: int) -> None:
    """Raise InputError where ``name`` in an open folder exists and is not of that type.

    ``wanted`` is a ``stat.S_IF...``, ``path`` the name in messages.
    """
    with suppress(FileNotFoundError):
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_IFMT(found.st_mode) != wanted:
            raise refusal(path, found, wanted)


def refusal(path: Path, found: os.stat_result, wanted: int) -> FileError:
    """Return the error that names what is at that path instead of a file or a folder."""
    what = "folder" if wanted == stat.S_IFDIR else "file"
    return FileError(path, f"is {kind_of(found)}, not a plain {what}", REMOVE)


def kind_of(found: os.stat_result) -> str:
    """Return the file type of a stat result in words, with its article, such as "a folder"."""
    return next((word for test, word in _KINDS if test(found.st_mode)), "a file")
