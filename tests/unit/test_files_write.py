"""Whole files or none."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kit.errors import HostError, InputError
from kit.files.write import (
    append,
    fresh_file,
    last_line,
    truncate_partial_line,
    write_atomic,
    write_tree,
)
from kit.results.folder import is_unfinished, remove_unfinished


def test_content_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    write_atomic(path, b"one")
    write_atomic(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_a_full_disk_leaves_the_old_file_and_no_half_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "report.md"
    write_atomic(path, b"old")

    def full(*_arguments: object, **_named: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, full)
    with pytest.raises(HostError, match=r"report\.md: cannot be written \(No space left"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_at_the_name_before_the_content_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.md"
    seen: list[bool] = []
    monkeypatch.setattr(os, "fsync", lambda _descriptor: seen.append(path.exists()))
    write_atomic(path, b"new")
    assert seen == [False, True]  # the file's content, then the folder with its name


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="cannot be written"):
        write_atomic(tmp_path / "missing" / "report.md", b"x")


def test_a_write_goes_through_nothing_that_was_there(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("report.md", "report.md.part"):
        (folder / name).symlink_to(victim)
    os.mkfifo(folder / "pipe")
    write_tree(folder, {"report.md": b"new", "pipe": b"new"})
    write_atomic(folder / "report.md", b"newer")
    assert victim.read_bytes() == b"mine"
    assert (folder / "report.md").read_bytes() == b"newer"
    assert not (folder / "report.md").is_symlink() and (folder / "pipe").is_file()
    assert (folder / "report.md.part").is_symlink()


@pytest.mark.parametrize("name", ["in/file", "in/deep/file"])
def test_no_folder_on_the_way_is_a_link(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    folder = tmp_path / "folder"
    (folder / "in").mkdir(parents=True)
    place = (folder / name).parent
    if place.exists():
        place.rmdir()
    place.symlink_to(outside)
    with pytest.raises(InputError, match="is a link, not a plain folder"):
        write_tree(folder, {name: b"x"})
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "a/../x", "a//x", ""])
def test_a_file_s_name_stays_below_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="not a path inside"):
        write_tree(tmp_path / "folder", {name: b"x"})
    assert list((tmp_path / "folder").iterdir()) == []


def test_a_folder_in_a_file_s_place_is_named_and_kept(tmp_path: Path) -> None:
    (tmp_path / "report.md").mkdir()
    with pytest.raises(HostError, match=r"report\.md: cannot be written"):
        write_atomic(tmp_path / "report.md", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["report.md"]


KILLED = """
import os, signal, sys
from pathlib import Path
from kit.files import write as files
os.fsync = lambda _descriptor: os.kill(os.getpid(), signal.SIGKILL)
files.write_tree(Path(sys.argv[1]), {"report.md": b"half", "in/page": b"half"})
"""


@pytest.mark.slow
def test_what_a_killed_write_left_is_told_and_removed_by_one_function(tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    for name in ("other", "study/mine.part"):
        (tmp_path / name).write_bytes(b"x")
    for _ in range(3):
        subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    left = {path.name for path in tmp_path.iterdir()} - {"other", "study"}
    assert len(left) == 3 and all(map(is_unfinished, left))
    write_tree(tmp_path, {"report.md": b"whole"})
    assert left < {path.name for path in tmp_path.iterdir()}
    remove_unfinished(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "report.md", "study"]
    assert (tmp_path / "study" / "mine.part").exists()


def test_what_another_write_is_making_is_not_removed(tmp_path: Path) -> None:
    with fresh_file(tmp_path / "report.md") as stream:
        stream.write(b"slow")
        write_tree(tmp_path, {"report.md": b"quick"})
        assert (tmp_path / "report.md").read_bytes() == b"quick"
    assert (tmp_path / "report.md").read_bytes() == b"slow"
    assert list(tmp_path.iterdir()) == [tmp_path / "report.md"]


def test_the_longest_names_can_be_written(tmp_path: Path) -> None:
    name = "é" * 127
    write_tree(tmp_path, {name: b"x"})
    assert (tmp_path / name).read_bytes() == b"x"


def test_lines_are_appended_to_a_plain_file_alone(tmp_path: Path) -> None:
    log = tmp_path / "log"
    append(log, b"one\n", 100, new=True)
    append(log, b"two\n", 100)
    assert last_line(log) == b"two"
    with pytest.raises(FileExistsError):
        append(log, b"one\n", 100, new=True)
    with pytest.raises(HostError, match="not be read again"):
        append(log, bytes(93), 100)
    log.rename(tmp_path / "victim")
    log.symlink_to("victim")
    for act in (
        lambda: append(log, b"x\n", 100),
        lambda: last_line(log),
        lambda: truncate_partial_line(log),
    ):
        with pytest.raises(InputError, match="log: is a link"):
            act()
    with pytest.raises(FileExistsError):
        append(log, b"x\n", 100, new=True)
    assert (tmp_path / "victim").read_bytes() == b"one\ntwo\n"


@pytest.mark.parametrize("length", [0, 1, 2**16 - 1, 2**16, 2**16 + 1, 2**18])
@pytest.mark.parametrize("torn", [b"", b"torn", bytes(70_000)])
def test_the_last_line_is_found_and_a_torn_one_cut(
    tmp_path: Path, length: int, torn: bytes
) -> None:
    log = tmp_path / "log"
    whole = b"first\n" + b"x" * length + b"\n"
    log.write_bytes(whole + torn)
    assert last_line(log) == (torn or b"x" * length)
    truncate_partial_line(log)
    assert log.read_bytes() == whole
    assert last_line(log) == b"x" * length
