"""Reading below an untrusted folder.

No file and no folder inside it can lead out, for no link is followed. Only plain files are
read, after a check of their size.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kit.errors import FileError, InputError
from kit.files.plain import (
    REMOVE,
    kind_of,
    open_directory,
    open_file,
    open_subdirectory,
    parts_of,
    refusal,
)

DEPTH = 32
"""Maximum depth of nested folders."""
_CHUNK = 2**20
_ELSEWHERE = "keep what does not belong to it elsewhere"


def _nothing(_name: str) -> bool:
    return False


@dataclass(frozen=True)
class ReadLimits:
    """Limits of a folder: bytes of one file, bytes in all, entries.

    ``per_file`` maps a file's path to its own limit in bytes. Entries for whose name ``left_out``
    is true are skipped, with everything below them. ``missing`` is the remedy for a missing file.
    """

    file_bytes: int
    total_bytes: int
    entries: int
    missing: str
    per_file: Mapping[str, int] = field(default_factory=dict)
    left_out: Callable[[str], bool] = _nothing


@dataclass(frozen=True)
class FolderEntry:
    """An entry below a folder. ``problem`` is why it is not a plain file; empty for one.

    ``unread``: a folder that cannot be listed.
    """

    name: str
    problem: str = ""
    unread: bool = False


class Folder:
    """A folder held open for reading; names are paths below it, with slashes.

    Links below it are never followed.
    """

    def __init__(self, path: Path, descriptor: int, limits: ReadLimits) -> None:
        self.path = path
        self._descriptor = descriptor
        self._limits = limits

    def holds(self, name: str) -> bool:
        """Return whether there is a plain file of that name. Raise InputError for another kind."""
        return self._is(name, stat.S_IFREG)

    def holds_folder(self, name: str) -> bool:
        """Return whether there is a folder of that name. Raise InputError for another kind."""
        return self._is(name, stat.S_IFDIR)

    def has(self, name: str) -> bool:
        """Return whether there is a plain file of that name; False for anything else there."""
        try:
            return self.holds(name)
        except InputError:
            return False

    def read(self, name: str) -> bytes:
        """Return the bytes of the file of that name.

        Raise InputError unless it is a plain file, readable and within the limits.
        """
        with self._file(name) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as stream:
            return stream.read(os.fstat(descriptor).st_size)

    def size(self, name: str) -> int:
        """Return the size in bytes of the file of that name. Raise as ``read`` does."""
        with self._file(name) as descriptor:
            return os.fstat(descriptor).st_size

    def sha256(self, name: str) -> str:
        """Return the SHA-256, in hex, of the file of that name. Raise as ``read`` does."""
        total = hashlib.sha256()
        with self._file(name) as descriptor:
            left = os.fstat(descriptor).st_size
            while left > 0 and (chunk := os.read(descriptor, min(left, _CHUNK))):
                total.update(chunk)
                left -= len(chunk)
        return total.hexdigest()

    def executable(self, name: str) -> bool:
        """Return whether the owner of that file may execute it. Raise as ``read`` does."""
        with self._file(name) as descriptor:
            return bool(os.fstat(descriptor).st_mode & 0o100)

    @contextmanager
    def below(self, name: str, limits: ReadLimits) -> Iterator[Folder]:
        """Open the folder of that name inside, with its own limits.

        Raise InputError if there is none.
        """
        path = self.path / name
        with ExitStack() as held:
            with self._named(path):
                inside = open_subdirectory(self._descriptor, self.path, parts_of(path, name))
                descriptor = held.enter_context(inside)
            yield Folder(path, descriptor, limits)

    def entries(self) -> Iterator[FolderEntry]:
        """Yield every entry below the folder, except folders that can be listed.

        Raise InputError when there are more than the limits allow.
        """
        size, count, waiting = 0, 0, [""]
        while waiting:
            inside = waiting.pop()
            try:
                rows = self._list(inside)
            except (OSError, InputError) as error:
                why = error.strerror if isinstance(error, OSError) else "it changes meanwhile"
                yield FolderEntry(f"{inside}/", f"cannot be listed ({why})", unread=True)
                continue
            count += len(rows)
            size += sum(found.st_size for _, found in rows if stat.S_ISREG(found.st_mode))
            self._check(count, size, inside)
            for name, found in rows:
                if stat.S_ISDIR(found.st_mode):
                    waiting.append(name)
                elif stat.S_ISREG(found.st_mode):
                    yield FolderEntry(name)
                else:
                    yield FolderEntry(name, f"is {kind_of(found)}, not a plain file")

    def files(self, inside: str = "") -> tuple[str, ...]:
        """Return the paths of all files below the folder, or below ``inside`` in it, sorted.

        Raise InputError for anything that is not a plain file, or whose name is not UTF-8.
        """
        found = []
        for entry in self.entries():
            try:
                entry.name.encode()
            except UnicodeEncodeError as error:
                raise FileError(
                    self.path,
                    f"the file name {os.fsencode(entry.name)!r} is not UTF-8",
                    "rename the file",
                ) from error
            if entry.problem:
                raise FileError(self.path / entry.name, entry.problem, REMOVE)
            if entry.name.startswith(inside):
                found.append(entry.name)
        return tuple(sorted(found, key=lambda name: name.split("/")))

    def _check(self, count: int, size: int, inside: str) -> None:
        limits = self._limits
        if inside.count("/") >= DEPTH:
            what = f"{inside[:80]}: more than {DEPTH} folders inside each other"
        elif count > limits.entries:
            what = f"holds more than {limits.entries:,} files and folders"
        elif size > limits.total_bytes:
            what = f"holds more than {_size(limits.total_bytes)}"
        else:
            return
        raise FileError(self.path, what, _ELSEWHERE)

    def _list(self, inside: str) -> list[tuple[str, os.stat_result]]:
        """Return path (below this folder) and status of a folder's entries.

        Raise OSError, InputError.
        """
        parts = inside.split("/") if inside else []
        with (
            open_subdirectory(self._descriptor, self.path, parts) as descriptor,
            os.scandir(descriptor) as found,
        ):
            return [
                ("/".join((*parts, row.name)), row.stat(follow_symlinks=False))
                for row in found
                if not self._limits.left_out(row.name)
            ]

    def _is(self, name: str, wanted: int) -> bool:
        path = self.path / name
        *parents, last = parts_of(path, name)
        with self._named(path):
            try:
                with open_subdirectory(self._descriptor, self.path, parents) as descriptor:
                    found = os.stat(last, dir_fd=descriptor, follow_symlinks=False)
            except FileNotFoundError:
                return False
            if stat.S_IFMT(found.st_mode) != wanted:
                raise refusal(path, found, wanted)
        return True

    @contextmanager
    def _file(self, name: str) -> Iterator[int]:
        """Yield the descriptor of an open plain file within its limit. Raise InputError."""
        path = self.path / name
        *parents, last = parts_of(path, name)
        with self._named(path):
            with open_subdirectory(self._descriptor, self.path, parents) as folder:
                descriptor = open_file(folder, last, path)
            try:
                size = os.fstat(descriptor).st_size
                limit = self._limits.per_file.get(name, self._limits.file_bytes)
                if size > limit:
                    raise FileError(
                        path,
                        f"has {size:,} bytes, more than the {_size(limit)} it may have",
                        "give a smaller file",
                    )
                yield descriptor
            finally:
                os.close(descriptor)

    @contextmanager
    def _named(self, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            remedy = self._limits.missing if missing else "make it readable"
            raise FileError(path, f"cannot be read ({error.strerror})", remedy) from error


@contextmanager
def open_folder(path: Path, limits: ReadLimits) -> Iterator[Folder]:
    """Open a folder for reading. A link at that path is followed: the user named it.

    Raise InputError where it is not a folder, or cannot be read.
    """
    with ExitStack() as held:
        try:
            descriptor = held.enter_context(open_directory(path))
        except OSError as error:
            raise FileError(path, f"cannot be opened ({error.strerror})", limits.missing) from error
        yield Folder(path, descriptor, limits)


def _size(count: int) -> str:
    return f"{count / 1e6:,.0f} MB" if count >= 10**6 else f"{count:,} bytes"
