"""Reads the result files of a finished container and the end of its logs."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from kit.errors import RunError

MAX_RESULT_BYTES = 64 * 2**20
MAX_RESULT_FILES = 10_000
MAX_LOG_BYTES = 256 * 2**10
_FRAME_HEADER = 8


class Chunks(io.RawIOBase):
    """A readable file over an iterable of byte strings, which it does not hold all at once."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        super().__init__()
        self._chunks: Iterator[bytes] = iter(chunks)
        self._rest = b""

    def readable(self) -> bool:
        """Return True, as ``io.RawIOBase`` requires of a stream that can be read."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Return ``size`` bytes, fewer only at the end (as tarfile expects); all if negative."""
        parts = [self._rest]
        held = len(self._rest)
        while size < 0 or held < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            parts.append(chunk)
            held += len(chunk)
        data = b"".join(parts)
        cut = len(data) if size < 0 else size
        self._rest = data[cut:]
        return data[:cut]


def result_files(chunks: Iterable[bytes], limit: int = MAX_RESULT_BYTES) -> dict[str, bytes]:
    """Return the regular files of a tar stream whose single top folder is the results folder.

    Keys are paths relative to that folder. Links, devices and names that lead out of
    it are skipped: a container's output is data and may be hostile. Raises
    RunError when the files are together larger than ``limit`` bytes, more than
    ``MAX_RESULT_FILES``, or the stream is broken.
    """
    files: dict[str, bytes] = {}
    total = 0
    try:
        with tarfile.open(fileobj=Chunks(chunks), mode="r|") as archive:
            for member in archive:
                path = _inside(member.name)
                # A sparse member's size on disk does not bound its expanded size.
                if path is None or not member.isreg() or member.issparse():
                    continue
                total += member.size
                if total > limit or len(files) >= MAX_RESULT_FILES:
                    raise RunError(
                        f"a run wrote more than {limit // 2**20} MiB or {MAX_RESULT_FILES} files"
                        f" of results (at {path})",
                        "let the program write only its record to the results folder",
                    )
                content = archive.extractfile(member)
                files[path] = content.read() if content is not None else b""
    except tarfile.TarError as error:
        raise RunError(
            f"the results of a run could not be read: {error}", "repeat the run"
        ) from error
    return files


def terminal_tail(chunks: Iterable[bytes], limit: int = MAX_LOG_BYTES) -> str:
    """Return the last ``limit`` bytes of a container's output to its terminal, as text.

    Unlike that of ``log_tail``, the stream has no frames.
    """
    text = bytearray()
    for chunk in chunks:
        text += chunk
        if len(text) > 2 * limit:
            del text[:-limit]
    return bytes(text[-limit:]).decode("utf-8", "replace")


def log_tail(chunks: Iterable[bytes], limit: int = MAX_LOG_BYTES) -> str:
    """Return the last ``limit`` bytes of an engine's log stream (both outputs, in order).

    The stream consists of frames: 1 byte for the output, 3 zero bytes, 4 bytes for the
    length (big endian), then the text. Bytes that are not UTF-8 are replaced.
    """
    buffer = bytearray()
    text = bytearray()
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= _FRAME_HEADER:
            end = _FRAME_HEADER + int.from_bytes(buffer[4:8], "big")
            if len(buffer) < end:
                break
            text += buffer[_FRAME_HEADER:end]
            del buffer[:end]
        if len(text) > 2 * limit:
            del text[:-limit]
    return bytes(text[-limit:]).decode("utf-8", "replace")


def _inside(name: str) -> str | None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        return None
    inner = path.parts[1:]
    return "/".join(inner) if inner else None
