"""The files of a results folder: opened within limits of its size, and listed in SHA256SUMS."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from kit.errors import InputError
from kit.files.folder import Folder, ReadLimits, open_folder
from kit.files.write import UNFINISHED, remove_from_tree, write_atomic
from kit.results import ABLATION, GIT_ATTRIBUTES, RUN_LOG, SIGNATURE, STUDY, SUMS
from kit.study.folder import VERSION_CONTROL, is_of_desktop

RUN_LOG_BYTES = 1_000_000_000
"""A log of 10,000 runs of 100 samples takes about 330 MB."""
SIGNATURE_BYTES = 100_000
"""A signature by an RSA key of 16384 bits takes about 6 kB; a certificate may take more."""
REMEDY = "give the folder of a session that `kit reproduce` made"
_RULES = ReadLimits(
    file_bytes=250_000_000,
    total_bytes=4_000_000_000,
    entries=30_000,
    missing=REMEDY,
    per_file={
        RUN_LOG: RUN_LOG_BYTES,
        f"{ABLATION}/{RUN_LOG}": RUN_LOG_BYTES,
        SUMS: 20_000_000,
        SIGNATURE: SIGNATURE_BYTES,
    },
    left_out=VERSION_CONTROL.__contains__,
)
_ESCAPED = re.compile(rb"\\([\\nr])")
_MEANT = {b"\\": b"\\", b"n": b"\n", b"r": b"\r"}
AS_THEY_ARE = b"* -text\n"
"""The content of .gitattributes: every file byte for byte."""


def open_results(folder: Path) -> AbstractContextManager[Folder]:
    """Open the results of a session for reading. Raise InputError if there is no folder."""
    return open_folder(folder, _RULES)


def is_unfinished(name: str) -> bool:
    """Return whether an interrupted write left the file of that path in a results folder.

    Files of the study never count.
    """
    return name.endswith(UNFINISHED) and STUDY not in name.split("/")[:-1]


def remove_unfinished(folder: Path) -> None:
    """Remove the files that interrupted writes left, except in the study.

    The caller must hold the folder's lock, because files that another command is writing would
    go too. Raise KitError if the folder cannot be read or a file not removed.
    """
    with open_results(folder) as results:
        left = [entry.name for entry in results.entries() if is_unfinished(entry.name)]
    remove_from_tree(folder, left)


def is_attributes(name: str) -> bool:
    """Return whether the path is of a session's .gitattributes, not of one in its study."""
    return name.rpartition("/")[2] == GIT_ATTRIBUTES and STUDY not in name.split("/")[:-1]


def write_sums(folder: Path) -> None:
    """Write SHA256SUMS of all files of a results folder, and .gitattributes for git to keep them.

    Raise InputError for a file that cannot be read, HostError if these cannot be written.
    """
    write_atomic(folder / GIT_ATTRIBUTES, AS_THEY_ARE)
    write_atomic(folder / SUMS, sums_of(folder))


def sums_of(folder: Path) -> bytes:
    """Return the folder's files with their SHA-256, in the form that `sha256sum -c` reads.

    Files made by desktops and .gitattributes are not listed. The list is bytes, because a file's
    name may not be valid Unicode. Raise InputError for a file that cannot be read.
    """
    lines = []
    with open_results(folder) as results:
        for entry in results.entries():
            if entry.unread:
                raise InputError(f"{folder / entry.name}: {entry.problem}", "make it readable")
            unsummed = entry.name in (SUMS, SIGNATURE) or is_of_desktop(entry.name)
            if not (
                unsummed or is_attributes(entry.name) or is_unfinished(entry.name) or entry.problem
            ):
                lines.append((entry.name, results.sha256(entry.name)))
    return b"".join(_line(name, digest) for name, digest in sorted(lines))


def read_sums(content: bytes) -> tuple[tuple[str, str], ...]:
    """Return the name and the SHA-256 in each line of SHA256SUMS, in order.

    Lines of another form are skipped.
    """
    named = [_named(line) for line in content.split(b"\n")]
    return tuple((name, digest) for name, digest in named if name)


def add_sums(folder: Path, made: Mapping[str, bytes]) -> None:
    """Add the sums of files made later to SHA256SUMS, or replace them; keep all others.

    ``made`` has the files' contents by name. Computing all sums again would hide changes made in
    the meantime. Without a list this does nothing. Raise InputError if the list cannot be read,
    HostError if it cannot be written.
    """
    with open_results(folder) as results:
        if not results.holds(SUMS):
            return
        content = results.read(SUMS)
    old = [(_named(line)[0], line + b"\n") for line in content.split(b"\n") if line]
    rows = [(name, line) for name, line in old if name not in made]
    rows += [(name, _line(name, hashlib.sha256(data).hexdigest())) for name, data in made.items()]
    write_atomic(folder / SUMS, b"".join(line for _, line in sorted(rows)))


def _line(name: str, digest: str) -> bytes:
    """Return a line as sha256sum writes it: special characters of a name are escaped."""
    raw = os.fsencode(name)
    escaped = raw.replace(b"\\", b"\\\\").replace(b"\n", b"\\n")
    mark = b"" if escaped == raw else b"\\"
    return mark + digest.encode() + b"  " + escaped + b"\n"


def _named(line: bytes) -> tuple[str, str]:
    """Return the name and the sum in a line; an empty name for a line of another form."""
    digest, _, name = line.removeprefix(b"\\").partition(b"  ")
    if line.startswith(b"\\"):
        name = _ESCAPED.sub(lambda found: _MEANT[found[1]], name)
    return os.fsdecode(name), digest.decode(errors="replace")
