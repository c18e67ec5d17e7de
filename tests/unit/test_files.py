"""Whole files or none."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from kit.errors import HostError
from kit.files import write_whole


def test_content_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_a_full_disk_leaves_the_old_file_and_no_half_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "report.md"
    write_whole(path, b"old")

    def full(*_arguments: object, **_named: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, full)
    with pytest.raises(HostError, match=r"report\.md: cannot be written \(No space left"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_at_the_name_before_the_content_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.md"
    seen: list[bool] = []
    monkeypatch.setattr(os, "fsync", lambda _descriptor: seen.append(path.exists()))
    write_whole(path, b"new")
    assert seen == [False, True]  # the file's content, then the folder with its name


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="cannot be written"):
        write_whole(tmp_path / "missing" / "report.md", b"x")
