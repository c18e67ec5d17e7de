"""The content of an image as a list and a digest, for comparing two builds.

The engine's image id also covers build times; this digest does not. It is the
sha256 of one line per file of the merged tree, sorted by path as UTF-8 bytes, and
after them the lines of the configuration, each line ended by a newline::

    path TAB type TAB mode TAB uid:gid TAB what

``type`` is one of file, dir, link, char, block, fifo; ``mode`` is octal; ``what``
is the sha256 of a file's bytes, the target of a link, ``major:minor`` of a device,
else "-". A hard link counts as the file it leads to. Extended attributes follow
as ``TAB name=value``. Configuration lines are ``config TAB key TAB JSON``. The list
omits times and the files that the engine itself puts into a container.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from kit.engine.collect import Chunks
from kit.engine.protocol import Engine
from kit.errors import ImageError

ENGINES_OWN = frozenset(
    {".dockerenv", "run/.containerenv", "etc/hostname", "etc/hosts", "etc/resolv.conf", "etc/mtab"}
)
ENGINES_FOLDERS = ("dev", "proc", "sys")
XATTR = "SCHILY.xattr."
_TYPES = {
    tarfile.REGTYPE: "file",
    tarfile.AREGTYPE: "file",
    tarfile.CONTTYPE: "file",
    tarfile.GNUTYPE_SPARSE: "file",
    tarfile.DIRTYPE: "dir",
    tarfile.SYMTYPE: "link",
    tarfile.CHRTYPE: "char",
    tarfile.BLKTYPE: "block",
    tarfile.FIFOTYPE: "fifo",
}
_CHUNK = 2**20
_NONE = "-"

Wanted = Callable[[str], bool]


@dataclass(frozen=True)
class ContentEntry:
    """One file of an image's tree. ``what``: see the module docstring."""

    type: str
    mode: int
    owner: str
    what: str
    xattrs: tuple[tuple[str, str], ...] = ()

    def line(self, path: str) -> str:
        """Return the file's line in the text that the content digest is computed of."""
        fields = [path, self.type, f"{self.mode:o}", self.owner, self.what]
        fields += [f"{name}={value}" for name, value in self.xattrs]
        return "\t".join(fields) + "\n"


@dataclass(frozen=True)
class Content:
    """The content of an image: files by path, configuration, and the bytes of chosen files."""

    entries: Mapping[str, ContentEntry]
    config: Mapping[str, object]
    kept: Mapping[str, bytes]

    @property
    def sha256(self) -> str:
        """Return the image's content digest, a SHA-256 in hex; see the module docstring."""
        total = hashlib.sha256()
        for path in sorted(self.entries, key=_bytes):
            total.update(_bytes(self.entries[path].line(path)))
        for key, value in sorted(self.config.items()):
            text = json.dumps(value, sort_keys=True, separators=(",", ":"))
            total.update(_bytes(f"config\t{key}\t{text}\n"))
        return total.hexdigest()


def read_content(engine: Engine, image: str, wanted: Wanted = lambda _path: False) -> Content:
    """Read an image's content in one pass, keeping the bytes of ``wanted`` files.

    Raises ImageError if there is no such image or its tree cannot be read.
    """
    found = engine.find_image(image)
    if found is None:
        raise ImageError(f"there is no image {image} to read", "build the images first")
    with engine.export(image) as chunks:
        try:
            entries, kept = read_tree(chunks, wanted)
        except tarfile.TarError as error:
            raise ImageError(
                f"the files of {image} could not be read: {error}", "repeat it"
            ) from error
    return Content(entries, found.config, kept)


def read_tree(
    chunks: Iterable[bytes], wanted: Wanted = lambda _path: False
) -> tuple[dict[str, ContentEntry], dict[str, bytes]]:
    """Read a file tree in a tar stream: entries and wanted files by path. Raises TarError."""
    entries: dict[str, ContentEntry] = {}
    kept: dict[str, bytes] = {}
    hard_links: dict[str, str] = {}
    with tarfile.open(fileobj=Chunks(chunks), mode="r|", errors="surrogateescape") as archive:
        for member in archive:
            path = member.name.removeprefix("./").rstrip("/")
            if not path or _is_engines(path):
                continue
            if member.islnk():
                hard_links[path] = member.linkname.removeprefix("./")
                continue
            entries[path] = _entry(archive, member, path, kept if wanted(path) else None)
            # Otherwise the archive would keep every header of the image in memory.
            archive.members = []  # type: ignore[attr-defined]
    for path, target in hard_links.items():
        if target in entries:
            entries[path] = entries[target]
            if wanted(path) and target in kept:
                kept[path] = kept[target]
    return entries, kept


def _entry(
    archive: tarfile.TarFile, member: tarfile.TarInfo, path: str, kept: dict[str, bytes] | None
) -> ContentEntry:
    kind = _TYPES.get(member.type, "file")
    entry = ContentEntry(
        type=kind,
        mode=member.mode & 0o7777,
        owner=f"{member.uid}:{member.gid}",
        what=_NONE,
        xattrs=tuple(
            sorted(
                (name.removeprefix(XATTR), value)
                for name, value in member.pax_headers.items()
                if name.startswith(XATTR)
            )
        ),
    )
    if kind == "link":
        return replace(entry, what=member.linkname)
    if kind in ("char", "block"):
        return replace(entry, what=f"{member.devmajor}:{member.devminor}")
    if kind != "file":
        return entry
    digest = hashlib.sha256()
    parts = []
    stream = archive.extractfile(member)
    while stream is not None and (chunk := stream.read(_CHUNK)):
        digest.update(chunk)
        if kept is not None:
            parts.append(chunk)
    if kept is not None:
        kept[path] = b"".join(parts)
    return replace(entry, what=digest.hexdigest())


def _is_engines(path: str) -> bool:
    return path in ENGINES_OWN or path.split("/", 1)[0] in ENGINES_FOLDERS


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
