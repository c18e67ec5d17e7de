"""Writing and removing files so that a crash never leaves a partial file that looks complete.

A new file is written under a fresh name in its folder and renamed, never through what was there
before; appending needs a plain file. A link, a pipe or a file in place of a folder is refused.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, cast

from kit.errors import HostError
from kit.files.plain import open_directory, open_file, open_subdirectory, parts_of

UNFINISHED = ".part"
"""Suffix of a file's name until all of it is written; a killed write leaves such a file."""
_STEM_BYTES = 200
_CHUNK = 2**16
_FRESH = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PLAIN, _EXECUTABLE = 0o666, 0o777
"""Modes of new files, before the umask."""


def write_atomic(path: Path, content: bytes) -> None:
    """Write one file atomically. Raise HostError, e.g. on a full disk.

    Links in ``path`` are followed up to its folder; an entry at its last name is replaced.
    """
    with _host_errors(path), fresh_file(path) as stream:
        stream.write(content)


@contextmanager
def fresh_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a stream to a new file that replaces ``path`` at the end of the block.

    An error in the block leaves ``path`` as it was. Raise OSError.
    """
    with open_directory(path.parent) as folder, _fresh(folder, path.name) as stream:
        yield stream


def write_tree(
    folder: Path, contents: Mapping[str, bytes], executable: Collection[str] = ()
) -> None:
    """Write every file below that folder, by its path there; create missing folders.

    Files of the paths in ``executable`` get execute permission, as far as the umask allows.
    Raise HostError, and InputError where a link or anything else is in place of a folder.
    """
    with _host_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with _host_errors(folder), open_directory(folder) as top:
        for parents, names in groupby(contents, lambda name: parts_of(folder / name, name)[:-1]):
            directory = folder.joinpath(*parents)
            with (
                _host_errors(directory),
                open_subdirectory(top, folder, parents, make=True) as inside,
            ):
                for name in names:
                    last = name.rpartition("/")[2]
                    mode = _EXECUTABLE if name in executable else _PLAIN
                    with _host_errors(directory / last), _fresh(inside, last, mode) as stream:
                        stream.write(contents[name])


def remove_from_tree(folder: Path, names: Collection[str]) -> None:
    """Remove the files of those paths below the folder, if they exist.

    Of a link only the link is removed. Raise HostError, and InputError where a link is in place of
    a folder.
    """
    with _host_errors(folder), open_directory(folder) as top:
        for name in names:
            *parents, last = parts_of(folder / name, name)
            with open_subdirectory(top, folder, parents) as inside, suppress(FileNotFoundError):
                os.unlink(last, dir_fd=inside)


def append(path: Path, line: bytes, limit: int, new: bool = False) -> None:
    """Write a line at the end of a file and sync it to disk; ``new``: the file must not exist.

    Raise InputError for anything but a plain file, HostError where it would pass ``limit`` bytes,
    OSError (FileExistsError for ``new``).
    """
    with _appending(path, new) as descriptor:
        if os.fstat(descriptor).st_size + len(line) > limit:
            raise HostError(
                f"{path}: would have more than {limit / 1e6:,.0f} MB and not be read again",
                "start a session with fewer blocks or shorter records",
            )
        with os.fdopen(descriptor, "ab", closefd=False) as stream:
            stream.write(line)
        os.fsync(descriptor)


def last_line(path: Path) -> bytes:
    """Return the last line of a file without its line end; empty where there is none.

    Raise InputError for anything but a plain file, OSError.
    """
    with _appending(path) as descriptor:
        size = os.fstat(descriptor).st_size
        content = b""
        while len(content) < size and b"\n" not in content[:-1]:
            more = min(max(_CHUNK, len(content)), size - len(content))
            content = os.pread(descriptor, more, size - len(content) - more) + content
    return content.removesuffix(b"\n").rpartition(b"\n")[2]


def truncate_partial_line(path: Path) -> None:
    """Cut off what follows the last line end of a file, and sync. Raise as ``last_line`` does."""
    with _appending(path) as descriptor:
        torn = len(last_line(path))
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            os.ftruncate(descriptor, size - torn)
            os.fsync(descriptor)


@contextmanager
def _appending(path: Path, new: bool = False) -> Iterator[int]:
    """Open the file for reading and appending, and yield its descriptor."""
    flags = os.O_RDWR | os.O_APPEND
    with open_directory(path.parent) as folder:
        if new:
            made = flags | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(path.name, made, _PLAIN, dir_fd=folder)
            os.fsync(folder)
        else:
            descriptor = open_file(folder, path.name, path, flags)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


@contextmanager
def _fresh(folder: int, name: str, mode: int = _PLAIN) -> Iterator[BinaryIO]:
    """Yield a stream to a file under a fresh name, renamed to ``name`` when it is on disk."""
    part = f"{_stem(name)}.{secrets.token_hex(8)}{UNFINISHED}"
    descriptor = os.open(part, _FRESH, mode, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield cast(BinaryIO, stream)
            stream.flush()
            os.fsync(stream.fileno())
            os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(part, dir_fd=folder)
        raise
    os.fsync(folder)


def _stem(name: str) -> str:
    """Return the start of a name, so short that a fresh name fits into 255 bytes."""
    return os.fsdecode(os.fsencode(name)[:_STEM_BYTES])


@contextmanager
def _host_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HostError(
            f"{path}: cannot be written ({error.strerror})",
            "free disk space or choose a writable place",
        ) from error
