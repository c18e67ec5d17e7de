"""Build contexts: an uncompressed tar of a recipe folder and files that the host adds.

The same files give the same bytes, so that the builder's cache and the kit's recipe digest
are valid across runs and machines.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import kit
from kit.files.folder import Folder
from kit.study.folder import open_study

IN_MEMORY_BYTES = 8_000_000
LEFTOVERS = frozenset({"bin", "obj", "__pycache__"})


def recipes() -> Path:
    """Return the folder of image recipes: in the wheel, or the repository's images/."""
    package = Path(kit.__file__).parent
    shipped = package / "images" / "recipes"
    return shipped if shipped.is_dir() else package.parent / "images"


def checkout() -> Path | None:
    """Return the repository that the running kit is imported from; None for an installed kit.

    Only the place of the recipes decides: site-packages may have a pyproject.toml of another
    distribution.
    """
    top = Path(kit.__file__).resolve().parent.parent
    return top if recipes().resolve() == top / "images" else None


@dataclass(frozen=True)
class _OfStudy:
    """A file of a study, read on demand."""

    folder: Path
    name: str


def _content(source: _OfStudy | Path | bytes) -> bytes:
    if isinstance(source, _OfStudy):
        with open_study(source.folder) as study:
            return study.read(source.name)
    return source.read_bytes() if isinstance(source, Path) else source


class Context:
    """Files of one build context, by their path in it."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[_OfStudy | Path | bytes, int]] = {}
        self._links: dict[str, str] = {}

    def add_folder(self, folder: Path, below: str = "", skip: tuple[str, ...] = ()) -> None:
        """Add every file under that folder except build leftovers and the skipped names."""
        for path in sorted(folder.rglob("*")):
            parts = path.relative_to(folder).parts
            if path.is_file() and not LEFTOVERS.union(skip).intersection(parts):
                self.add_file(path, f"{below}{'/'.join(parts)}")

    def add_study(self, study: Folder, inside: str, below: str = "") -> None:
        """Add every file of a folder in a study that belongs to the study."""
        start = "" if inside == "." else f"{inside}/"
        for name in study.files(start):
            mode = 0o755 if study.executable(name) else 0o644
            path_in_context = f"{below}{name.removeprefix(start)}"
            self._files[path_in_context] = (_OfStudy(study.path, name), mode)

    def add_file(self, path: Path, path_in_context: str) -> None:
        """Add one file; of its mode only the executable bit is kept."""
        mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
        self._files[path_in_context] = (path, mode)

    def add_bytes(self, content: bytes, path_in_context: str) -> None:
        """Add one file with that content."""
        self._files[path_in_context] = (content, 0o644)

    def add_links(self, links: Mapping[str, str], below: str) -> None:
        """Add symbolic links, path to target; ``below`` is the prefix of each path."""
        self._links.update({below + path: target for path, target in links.items()})

    def tar(self) -> BinaryIO:
        """Return the context as a tar stream, at its start. The caller closes it."""
        spool = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115
        stream = cast(BinaryIO, spool)
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for path in sorted({*self._files, *self._links}):
                self._add(archive, path)
        stream.seek(0)
        return stream

    def digest(self, extra: Iterable[str], ignored: tuple[str, ...]) -> str:
        """Return the sha256 over paths, modes, contents and the extra strings.

        Paths that begin with one of ``ignored`` are left out.
        """
        total = hashlib.sha256()
        for text in extra:
            total.update(f"{len(text)}:{text}".encode())
        for path in sorted(p for p in self._files if not p.startswith(ignored)):
            source, mode = self._files[path]
            content = _content(source)
            total.update(f"{path}\0{mode:o}\0{hashlib.sha256(content).hexdigest()}\n".encode())
        for path, target in sorted(self._links.items()):
            total.update(f"{path}\0->{target}\n".encode())
        return total.hexdigest()

    def _add(self, archive: tarfile.TarFile, path: str) -> None:
        member = tarfile.TarInfo(path)
        if path in self._links:
            member.type = tarfile.SYMTYPE
            member.linkname = self._links[path]
            archive.addfile(member)
            return
        source, member.mode = self._files[path]
        content = _content(source)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
