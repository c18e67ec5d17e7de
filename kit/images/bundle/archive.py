"""The archive of a bundle: a plain tar whose last member has the sha256 of all others.

Users can unpack it with tar and check it with `sha256sum -c SHA256SUMS`. The images are
gzipped inside it, a form that engines load; the other members are small or already
compressed.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from kit.errors import InputError
from kit.files.plain import open_named

DOCUMENT, IMAGES, SUMS = "bundle.json", "images.tar.gz", "SHA256SUMS"
TEXTS = (DOCUMENT, "pins.yaml", "study.yaml", "claims.yaml", "README.txt")
# Level 1: on two slow cores the next levels take twice as long for 5 % less.
GZIP_LEVEL = 1
_FOLDERS = re.compile(r"(wheels/[\w.+-]+\.whl|nuget/[\w.+-]+\.nupkg)", re.ASCII)
_SUM = re.compile(r"([0-9a-f]{64})  (\S+)\n")
_CHUNK = 2**20
_TEXT_LIMIT = 2**24
_BLOCK, _RECORD = tarfile.BLOCKSIZE, tarfile.RECORDSIZE


class Writer:
    """Writer of a bundle: add its members one after another, then call ``finish``."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._sums: dict[str, str] = {}

    def add_bytes(self, name: str, content: bytes) -> None:
        """Add a member of that name with that content to the archive."""
        with self.member(name) as sink:
            sink.write(content)

    def add_file(self, name: str, path: Path) -> None:
        """Add a member of that name with a file's content and its executable bit to the archive."""
        executable = bool(path.stat().st_mode & 0o100)
        with self.member(name, executable) as sink, path.open("rb") as source:
            while chunk := source.read(_CHUNK):
                sink.write(chunk)

    @contextmanager
    def images(self, on_written: Callable[[int], None]) -> Iterator[BinaryIO]:
        """Open a stream to which the engine writes its docker archive, the member with the images.

        Calls ``on_written`` with the uncompressed bytes so far after every write.
        """
        with (
            self.member(IMAGES) as sink,
            gzip.GzipFile("", "wb", GZIP_LEVEL, cast(IO[bytes], sink), mtime=0) as packed,
        ):
            yield cast(BinaryIO, _Counted(packed, on_written))

    @contextmanager
    def member(self, name: str, executable: bool = False) -> Iterator[_Summed]:
        """Open a stream to write one member, whose size need not be known before."""
        start = self._stream.tell()
        self._stream.write(_header(name, 0, executable))
        sink = _Summed(self._stream)
        yield sink
        self._stream.write(bytes(-sink.size % _BLOCK))
        end = self._stream.tell()
        self._stream.seek(start)
        self._stream.write(_header(name, sink.size, executable))
        self._stream.seek(end)
        self._sums[name] = sink.sha256.hexdigest()

    def finish(self) -> None:
        """Write the SHA-256 sums of all members and the end of the archive."""
        lines = (f"{digest}  {name}\n" for name, digest in sorted(self._sums.items()))
        self.add_bytes(SUMS, "".join(lines).encode())
        self._stream.write(bytes(_padded(self._stream.tell()) - self._stream.tell()))


@dataclass(frozen=True)
class Contents:
    """The contents of a complete bundle that matches its sums.

    ``texts`` are by name; ``images`` and ``feed`` are the paths of the docker archive and of the
    folder of NuGet packages.
    """

    texts: dict[str, bytes]
    images: Path
    feed: Path


def read(path: Path, scratch: Path) -> Contents:
    """Read a bundle, check every byte, and unpack below ``scratch`` what loading it needs.

    Raises InputError unless the file is complete and unchanged: for a truncated file, a changed
    byte, missing or added members, and a file that is not a tar.
    """
    reader = _Reader(path, scratch)
    with os.fdopen(open_named(path), "rb") as stream:
        try:
            with tarfile.open(fileobj=stream, mode="r:") as archive:
                for member in archive:
                    reader.take(archive, member)
                    _check_frame(path, stream, member)
        except tarfile.TarError as error:
            raise _damaged(path, str(error) or "no tar archive") from error
        reader.check_sums()
        left = _padded(reader.end) - reader.end
        stream.seek(reader.end)
        if stream.read(left + 1) != bytes(left):
            raise _damaged(path, "its end is missing, or something was added to it")
    return Contents(reader.texts, scratch / IMAGES, scratch / "nuget")


class _Reader:
    """Reader of the members, one after another."""

    def __init__(self, path: Path, scratch: Path) -> None:
        self.texts: dict[str, bytes] = {}
        self.end = 0
        self._path = path
        self._scratch = scratch
        self._found: dict[str, str] = {}

    def take(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        name = member.name
        # The only extended header in a bundle is GNU's for a long name: another one could
        # declare a false size.
        plain = member.type == tarfile.REGTYPE and not member.pax_headers
        if not plain or not _known(name) or name in self._found:
            raise _damaged(self._path, f"unexpected or duplicate member {name!r}")
        source = archive.extractfile(member)
        assert source is not None  # a regular file
        if name in (SUMS, *TEXTS):
            if member.size > _TEXT_LIMIT:
                raise _damaged(self._path, f"{name} is too large")
            self.texts[name] = source.read()
            self._found[name] = hashlib.sha256(self.texts[name]).hexdigest()
        else:
            self._found[name] = self._copy(name, source, member.mode)
        self.end = member.offset_data + member.size + -member.size % _BLOCK

    def _copy(self, name: str, source: IO[bytes], mode: int) -> str:
        """Copy it to the scratch folder if a load needs it; return its sha256."""
        total = hashlib.sha256()
        if name.startswith("wheels/"):
            while chunk := source.read(_CHUNK):
                total.update(chunk)
            return total.hexdigest()
        path = self._scratch / name
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as sink:
            while chunk := source.read(_CHUNK):
                total.update(chunk)
                sink.write(chunk)
        path.chmod(mode)
        return total.hexdigest()

    def check_sums(self) -> None:
        text = self.texts.pop(SUMS, None)
        if text is None:
            raise _damaged(self._path, f"{SUMS} is missing")
        lines = _SUM.findall(text.decode(errors="replace"))
        wanted = {name: digest for digest, name in lines}
        if len(wanted) != len(lines):
            raise _damaged(self._path, f"{SUMS} names a file twice")
        del self._found[SUMS]
        for name in sorted(wanted.keys() | self._found.keys() | {*TEXTS, IMAGES}):
            if name not in self._found:
                raise _damaged(self._path, f"{name} is missing")
            if name not in wanted:
                raise _damaged(self._path, f"{name} was added: {SUMS} does not know it")
            if wanted[name] != self._found[name]:
                raise _damaged(self._path, f"{name} does not have the sha256 that {SUMS} gives")


class _Summed:
    """A stream that computes the sha256 and size of what is written to it."""

    def __init__(self, stream: BinaryIO) -> None:
        self.sha256 = hashlib.sha256()
        self.size = 0
        self._stream = stream

    def write(self, chunk: bytes) -> int:
        self.sha256.update(chunk)
        self.size += len(chunk)
        return self._stream.write(chunk)

    def flush(self) -> None:
        self._stream.flush()


class _Counted:
    """A stream that reports the bytes written so far after every write."""

    def __init__(self, stream: Any, on_written: Callable[[int], None]) -> None:
        self._stream = stream
        self._on_written = on_written
        self._size = 0

    def write(self, chunk: bytes) -> int:
        self._size += len(chunk)
        self._on_written(self._size)
        return int(self._stream.write(chunk))


def _known(name: str) -> bool:
    return name in (*TEXTS, IMAGES, SUMS) or _FOLDERS.fullmatch(name) is not None


def _header(name: str, size: int, executable: bool) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o755 if executable else 0o644
    return member.tobuf(tarfile.GNU_FORMAT)


def _check_frame(path: Path, stream: BinaryIO, member: tarfile.TarInfo) -> None:
    """Raise InputError unless the member's header and padding are what ``Writer`` writes."""
    here = stream.tell()
    expected = _header(member.name, member.size, bool(member.mode & 0o100))
    stream.seek(member.offset)
    header = stream.read(len(expected))
    stream.seek(member.offset_data + member.size)
    padding = stream.read(-member.size % _BLOCK)
    stream.seek(here)
    if header != expected or padding != bytes(-member.size % _BLOCK):
        raise _damaged(path, f"what surrounds {member.name} was changed")


def _padded(end: int) -> int:
    """Return the size of a tar whose members end there: two empty blocks, full records."""
    return -(-(end + 2 * _BLOCK) // _RECORD) * _RECORD


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(
        f"{path}: not a complete bundle: {reason}",
        "copy it again, or make it again: kit bundle save",
    )
