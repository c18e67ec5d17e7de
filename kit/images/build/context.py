"""Build contexts: an uncompressed tar of a recipe folder plus what the host adds.

Deterministic: same files, same bytes, so that the builder's cache and the
kit's own recipe digest hold across runs and machines.
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
    """The folder of image recipes: in the wheel, or the repository's images/."""
    package = Path(kit.__file__).parent
    shipped = package / "images" / "recipes"
    return shipped if shipped.is_dir() else package.parent / "images"


def checkout() -> Path | None:
    """The repository that the running kit is read from; None for an installed kit.

    What else lies beside an installed package says nothing: other distributions put a
    pyproject.toml into site-packages.
    """
    top = Path(kit.__file__).resolve().parent.parent
    return top if recipes().resolve() == top / "images" else None


@dataclass(frozen=True)
class _OfStudy:
    """A file of a study, read when it is needed."""

    folder: Path
    name: str


def _content(source: _OfStudy | Path | bytes) -> bytes:
    if isinstance(source, _OfStudy):
        with open_study(source.folder) as study:
            return study.read(source.name)
    return source.read_bytes() if isinstance(source, Path) else source


class Context:
    """The files of one build context, by their place in it."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[_OfStudy | Path | bytes, int]] = {}
        self._links: dict[str, str] = {}

    def add_folder(self, folder: Path, below: str = "", skip: tuple[str, ...] = ()) -> None:
        """Every file under that folder, build leftovers and the skipped aside."""
        for path in sorted(folder.rglob("*")):
            parts = path.relative_to(folder).parts
            if path.is_file() and not LEFTOVERS.union(skip).intersection(parts):
                self.add_file(path, f"{below}{'/'.join(parts)}")

    def add_study(self, study: Folder, inside: str, below: str = "") -> None:
        """Add every file of a folder in a study that belongs to the study."""
        start = "" if inside == "." else f"{inside}/"
        for name in study.files(start):
            mode = 0o755 if study.executable(name) else 0o644
            place = f"{below}{name.removeprefix(start)}"
            self._files[place] = (_OfStudy(study.path, name), mode)

    def add_file(self, path: Path, place: str) -> None:
        """One file; whether it is executable is kept, other modes are not."""
        mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
        self._files[place] = (path, mode)

    def add_bytes(self, content: bytes, place: str) -> None:
        """One file of that content."""
        self._files[place] = (content, 0o644)

    def add_links(self, links: Mapping[str, str], below: str) -> None:
        """Symbolic links, place to target."""
        self._links.update({below + place: target for place, target in links.items()})

    def tar(self) -> BinaryIO:
        """The context as a tar stream, at its start. The caller closes it."""
        spool = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115
        stream = cast(BinaryIO, spool)
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for place in sorted({*self._files, *self._links}):
                self._add(archive, place)
        stream.seek(0)
        return stream

    def digest(self, extra: Iterable[str], ignored: tuple[str, ...]) -> str:
        """sha256 over places, modes, contents and the extra strings.

        Places that begin with one of ``ignored`` are left out.
        """
        total = hashlib.sha256()
        for text in extra:
            total.update(f"{len(text)}:{text}".encode())
        for place in sorted(p for p in self._files if not p.startswith(ignored)):
            source, mode = self._files[place]
            content = _content(source)
            total.update(f"{place}\0{mode:o}\0{hashlib.sha256(content).hexdigest()}\n".encode())
        for place, target in sorted(self._links.items()):
            total.update(f"{place}\0->{target}\n".encode())
        return total.hexdigest()

    def _add(self, archive: tarfile.TarFile, place: str) -> None:
        member = tarfile.TarInfo(place)
        if place in self._links:
            member.type = tarfile.SYMTYPE
            member.linkname = self._links[place]
            archive.addfile(member)
            return
        source, member.mode = self._files[place]
        content = _content(source)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
