"""Sums of a folder: as sha256sum has them, and everything that is no file is named."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support.folders import unreadable

from kit.errors import InputError
from kit.report.files import SUMS
from kit.results import GIT_ATTRIBUTES
from kit.results.folder import add_sums, read_sums, sums_of, write_sums
from kit.study.folder import DESKTOP
from kit.verify.sums import ANY, ExpectedFiles
from kit.verify.sums import check_files as check

NAMES = ["plain", "new\nline", "back\\slash", "\\n", "a\u2028b", "a\x85b", "a\x0bb", " two  gaps "]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / name).write_text(name)
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/no\xfftext")).write_text("x")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "own.part").write_text("a study's own")
    return tmp_path


def summed(folder: Path) -> Path:
    (folder / SUMS).write_bytes(sums_of(folder))
    return folder


def test_every_name_is_summed_and_read_back(folder: Path) -> None:
    named = [name for name, _ in read_sums(sums_of(folder))]
    assert named == sorted([*NAMES, "no\udcfftext", "study/own.part"])
    assert check(summed(folder), ANY).wrong == ()


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum here")
def test_sha256sum_agrees(folder: Path) -> None:
    command = ["sha256sum", "--strict", "-c", SUMS]
    done = subprocess.run(command, cwd=summed(folder), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("space", ["\u2028", "\x85", "\x0b", "\x1c"])
def test_a_name_with_a_sum_in_it_hides_no_change(folder: Path, space: str) -> None:
    path = folder / "sbom"
    path.write_text("good")
    (digest,) = (digest for name, digest in read_sums(sums_of(folder)) if name == "sbom")
    (folder / f"{space}{digest}  sbom").write_text("x")
    summed(folder)
    path.write_text("bad")
    assert check(folder, ANY).wrong == ("sbom was changed",)


def test_sums_that_are_entered_later_leave_the_others_as_they_were(folder: Path) -> None:
    before = dict(read_sums(sums_of(folder)))
    summed(folder)
    (folder / "plain").write_text("changed")
    (folder / "new\nline").write_text("made anew")
    add_sums(folder, {"new\nline": b"made anew", "more": b"more"})
    after = dict(read_sums((folder / SUMS).read_bytes()))
    assert {n for n in after if after[n] != before.get(n)} == {"new\nline", "more"}
    assert check(folder, ANY).wrong == ("more is missing", "plain was changed")


def test_what_is_no_file_is_named(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "report.md").write_text("plain")
    (folder / "plain").unlink()
    summed(folder)
    (folder / "plain").symlink_to(outside / "report.md")
    (folder / "folder").symlink_to(outside)
    (folder / "dangling").symlink_to("nowhere")
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "pipe")
    (folder / "report.md.part").write_text("half")
    links = ("dangling", "folder", "loop", "plain")
    assert sorted(check(folder, ANY).wrong) == sorted(
        [
            *(f"{name} is a link, not a plain file" for name in links),
            "pipe is a pipe, not a plain file",
            "report.md.part was left by an interrupted write",
        ]
    )
    summed(folder)
    assert len(check(folder, ANY).wrong) == 6


def test_a_file_that_became_a_link_is_named_once(folder: Path) -> None:
    summed(folder)
    (folder / "plain").unlink()
    (folder / "plain").symlink_to("study/own.part")
    assert check(folder, ANY).wrong == ("plain is a link, not a plain file",)


def test_strangers_are_named_with_a_list_and_without(folder: Path) -> None:
    known = ExpectedFiles(frozenset({*NAMES, "no\udcfftext"}))
    (folder / "study" / "__pycache__").mkdir()
    (folder / "study" / "__pycache__" / "x.pyc").write_text("x")
    (folder / "more").write_text("x")
    strangers = ["more does not belong to the session"]
    strangers.append("study/__pycache__/x.pyc does not belong to the session")
    assert check(summed(folder), known).wrong == tuple(strangers)
    (folder / SUMS).unlink()
    assert check(folder, known).wrong == (f"{SUMS} is missing", *strangers)


def test_a_name_that_is_listed_twice_is_named(folder: Path) -> None:
    summed(folder)
    content = (folder / SUMS).read_bytes()
    (folder / SUMS).write_bytes(b"0" * 64 + b"  plain\n" + content)
    assert check(folder, ANY).wrong == ("plain is listed twice",)


def test_a_folder_or_a_file_that_cannot_be_read_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summed(folder)
    (folder / "new\nline").write_text("changed")
    unreadable(monkeypatch, "plain")
    assert check(folder, ANY).wrong == (
        "plain cannot be read (Permission denied)",
        "new\nline was changed",
    )
    with pytest.raises(InputError, match="plain: cannot be read"):
        sums_of(folder)
    unreadable(monkeypatch, "study")
    assert "study/ cannot be listed (Permission denied)" in check(folder, ANY).wrong


@pytest.mark.parametrize("name", sorted(DESKTOP))
@pytest.mark.parametrize("place", ["", "study/", "study/arms/"])
def test_what_a_desktop_leaves_is_named_as_ignored(folder: Path, name: str, place: str) -> None:
    before = sums_of(summed(folder))
    (folder / place).mkdir(exist_ok=True)
    (folder / place / name).write_text("x")
    found = check(folder, ANY)
    assert found.wrong == ()
    assert f"{place}{name}" in found.good
    assert sums_of(folder) == before


@pytest.mark.parametrize("name", sorted(DESKTOP))
def test_a_desktop_s_name_hides_no_link_and_no_listed_file(folder: Path, name: str) -> None:
    (folder / name).symlink_to("plain")
    assert f"{name} is a link, not a plain file" in check(summed(folder), ANY).wrong
    (folder / name).unlink()
    (folder / name).write_text("x")
    write_sums(folder)
    with (folder / SUMS).open("ab") as stream:
        stream.write(b"0" * 64 + b"  " + name.encode() + b"\n")
    assert check(folder, ANY).wrong == (f"{name} was changed",)


def with_crlf(folder: Path, names: list[str]) -> None:
    for name in names:
        (folder / name).write_bytes((folder / name).read_bytes().replace(b"\n", b"\r\n"))


@pytest.mark.parametrize("converted", [["text"], ["text", SUMS]])
def test_line_ends_that_were_changed_are_named_with_their_remedy(
    folder: Path, converted: list[str]
) -> None:
    (folder / "text").write_text("one\ntwo\n")
    (folder / "other").write_text("one\n")
    write_sums(folder)
    with_crlf(folder, converted)
    found = check(folder, ANY)
    assert {line.split()[0] for line in found.wrong} == set(converted)
    assert all("CRLF" in line for line in found.wrong)
    assert "core.autocrlf" in found.remedy
    (folder / "other").write_text("two\r\n")
    assert "other was changed" in check(folder, ANY).wrong


def test_attributes_of_git_are_as_the_kit_writes_them(folder: Path) -> None:
    write_sums(folder)
    assert check(folder, ExpectedFiles(frozenset(NAMES) | {"no\udcfftext"})).wrong == ()
    (folder / GIT_ATTRIBUTES).write_text("* filter=x")
    assert check(summed(folder), ANY).wrong == (f"{GIT_ATTRIBUTES} is not as kit writes it",)
    (folder / GIT_ATTRIBUTES).unlink()
    assert check(folder, ANY).wrong == ()
    (folder / "study" / GIT_ATTRIBUTES).write_text("* text")
    assert check(folder, ANY).wrong == (f"study/{GIT_ATTRIBUTES} was added",)
    assert check(summed(folder), ANY).wrong == ()


@pytest.mark.skipif(shutil.which("git") is None, reason="no git here")
@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("place", ["results", ""])
def test_a_clone_with_other_line_ends_is_the_same_or_says_why(
    tmp_path: Path, place: str, kept: bool
) -> None:
    def git(*words: str) -> None:
        alone = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        me = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.autocrlf=true"]
        subprocess.run(["git", *me, *words], env=alone, check=True, capture_output=True)

    repository = tmp_path / "repository"
    results = repository / place
    results.mkdir(parents=True)
    (results / "report.md").write_bytes(b"one\ntwo\n")
    write_sums(results)
    if not kept:
        (results / GIT_ATTRIBUTES).unlink()
        summed(results)
    here = ["-C", str(repository)]
    git("init", "-q", str(repository))
    git(*here, "add", ".")
    git(*here, "commit", "-qm", "results")
    git("clone", "-q", str(repository), str(tmp_path / "clone"))
    found = check(tmp_path / "clone" / place, ANY)
    assert (".git" in found.good) is (place == "")
    assert (found.wrong == ()) is kept
    assert ("core.autocrlf" in found.remedy) is not kept
