"""Golden results folders, packed: each was made once, and any later kit must call it honest."""

from __future__ import annotations

import io
import lzma
import tarfile
from pathlib import Path

ENDING = ".tar.xz"
FOLDER = Path(__file__).resolve().parent
GOLDEN = FOLDER / f"sum{ENDING}"
"""Of this version of kit; a change to it is tampering."""
ARCHIVES = [GOLDEN, FOLDER / f"sum_form_6{ENDING}"]
"""The second one was measured by kit 0.1.0; its log is in form 6."""


def opened(archive: Path, place: Path) -> Path:
    """Unpack a golden folder below that place; its path."""
    with tarfile.open(archive) as packed:
        packed.extractall(place, filter="data")
    return place / archive.name.removesuffix(ENDING)


def pack(folder: Path, archive: Path) -> None:
    """Write the folder's files, the same bytes for the same files."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT) as packed:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = tarfile.TarInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}")
            entry.size = path.stat().st_size
            packed.addfile(entry, io.BytesIO(path.read_bytes()))
    archive.write_bytes(lzma.compress(content.getvalue(), preset=9))


def reported(folder: Path) -> None:
    """Write every report of the folder's logs."""
    from kit.app import ablate, pipeline
    from kit.results import ABLATION
    from kit.results.opened import open_session

    opened = open_session(folder)
    if opened.explanation is not None:
        found = ablate.explanation(folder / ABLATION, opened.study)
        assert found is not None
        ablate.write(folder / ABLATION, found)
    pipeline.report(opened)
