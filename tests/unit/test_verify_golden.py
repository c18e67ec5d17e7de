"""Results folders that were made once are honest to the kit of today."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest
from golden.archive import ARCHIVES, opened, pack

from kit.verify import verify_folder

pytestmark = pytest.mark.drawn


def test_there_is_a_golden_folder() -> None:
    assert ARCHIVES
    assert all(archive.stat().st_size < 300_000 for archive in ARCHIVES)


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name)
def test_a_golden_folder_is_honest(archive: Path, tmp_path: Path) -> None:
    found = verify_folder(opened(archive, tmp_path))
    assert [each for each in found if each.wrong] == []


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name)
def test_packing_a_golden_folder_again_makes_the_same_files(archive: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.tar.xz"
    pack(opened(archive, tmp_path), again)
    # Versions of liblzma compress differently.
    assert lzma.decompress(again.read_bytes()) == lzma.decompress(archive.read_bytes())
