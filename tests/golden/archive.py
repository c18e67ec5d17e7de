"""Golden results folders, packed: each was made once, and any later kit must call it honest."""

from __future__ import annotations

import io
import lzma
import tarfile
from pathlib import Path

ENDING = ".tar.xz"
ARCHIVES = sorted(Path(__file__).resolve().parent.glob(f"*{ENDING}"))


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
    from kit.results.names import RUN_LOG
    from kit.results.runlog import read_session
    from kit.results.snapshot import study_for

    study = study_for(folder, read_session(folder).header.plan.study_sha256)
    beside = folder / pipeline.ABLATION
    if (beside / RUN_LOG).is_file():
        found = ablate.explanation(beside, study)
        assert found is not None
        ablate.write(beside, found)
    pipeline.report(folder, study)
