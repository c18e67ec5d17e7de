"""Root file systems: mmdebstrap is called with what was asked, its errors are told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kit.errors import HostError, ImageError
from kit.images.bases.bootstrap import EPOCH, unpack_debian_packages, write_debian_rootfs


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for mmdebstrap that writes down how it was called."""
    path = tmp_path / "bin" / "mmdebstrap"
    path.parent.mkdir()
    monkeypatch.setenv("PATH", str(path.parent))
    says(path, f'echo "$@" > {tmp_path}/called; echo "$SOURCE_DATE_EPOCH" > {tmp_path}/epoch')
    return path


def says(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


def test_a_root_file_system_is_asked_for(program: Path, tmp_path: Path) -> None:
    write_debian_rootfs("bullseye", ["netbase", "zlib1g"], tmp_path / "out.tar")
    words = (tmp_path / "called").read_text(encoding="utf-8").split()
    assert words[-2:] == ["bullseye", str(tmp_path / "out.tar")]
    assert {"--variant=minbase", "--include=netbase,zlib1g"} <= set(words)
    assert (tmp_path / "epoch").read_text(encoding="utf-8").strip() == EPOCH


def test_files_alone_are_only_unpacked(program: Path, tmp_path: Path) -> None:
    unpack_debian_packages("bullseye", ["libssl1.1"], tmp_path / "folder")
    words = (tmp_path / "called").read_text(encoding="utf-8").split()
    assert "--variant=extract" in words and "--variant=minbase" not in words
    assert words[-2:] == ["bullseye", str(tmp_path / "folder")]


@pytest.mark.parametrize("make", [write_debian_rootfs, unpack_debian_packages])
def test_without_mmdebstrap_the_remedy_is_setup(
    make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostError, match="mmdebstrap is not installed") as caught:
        make("bullseye", ["netbase"], tmp_path / "out")
    assert "kit setup" in caught.value.remedy
    assert not (tmp_path / "out").exists()


def test_its_own_error_lines_are_the_reason(program: Path, tmp_path: Path) -> None:
    says(program, "echo 'I: fine'; echo 'E: apt-get update failed' >&2; exit 25")
    with pytest.raises(ImageError) as caught:
        write_debian_rootfs("bullseye", ["netbase"], tmp_path / "out.tar")
    assert caught.value.problem == "Debian bullseye could not be made: E: apt-get update failed"
    assert "proxy" in caught.value.remedy


@pytest.mark.parametrize(("body", "reason"), [("echo last words", "last words"), ("", "no output")])
def test_an_error_without_error_lines(
    program: Path, tmp_path: Path, body: str, reason: str
) -> None:
    says(program, f"{body}\nexit 1")
    with pytest.raises(ImageError, match=reason):
        write_debian_rootfs("bullseye", ["netbase"], tmp_path / "out.tar")


def test_one_that_hangs_is_ended_and_told(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kit.images.bases.bootstrap.TIMEOUT_S", 0.2)
    says(program, "exec /bin/sleep 30")
    with pytest.raises(ImageError):
        write_debian_rootfs("bullseye", ["netbase"], tmp_path / "out.tar")


def test_a_folder_in_which_nothing_can_be_run_is_named(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted = os.statvfs(tmp_path)
    flags = (*mounted[:8], mounted.f_flag | os.ST_NOEXEC, *mounted[9:])
    monkeypatch.setattr(os, "statvfs", lambda _folder: os.statvfs_result(flags))
    with pytest.raises(HostError, match="noexec") as caught:
        write_debian_rootfs("bullseye", ["netbase"], tmp_path / "out.tar")
    assert "TMPDIR" in caught.value.remedy and not (tmp_path / "called").exists()
