"""Reading below a folder: nothing leads out, nothing is without end."""

from __future__ import annotations

import hashlib
import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from kit.errors import InputError
from kit.files.folder import DEPTH, ReadLimits, open_folder

RULES = ReadLimits(100, 1000, 20, "name another folder", per_file={"small": 10})


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    (tmp_path / "here" / "in").mkdir(parents=True)
    (tmp_path / "here" / "plain").write_text("plain")
    (tmp_path / "here" / "in" / "deep").write_text("deep")
    return tmp_path / "here"


def test_plain_files_are_read_and_summed(place: Path) -> None:
    os.link(place.parent / "outside" / "secret", place / "hard")
    with open_folder(place, RULES) as folder:
        assert folder.read("in/deep") == b"deep"
        assert folder.read("hard") == b"secret"
        assert folder.holds("plain") and folder.has("plain") and folder.holds_folder("in")
        assert not folder.holds("none") and not folder.holds("none/deep")
        assert folder.files() == ("hard", "in/deep", "plain")
        assert folder.files("in/") == ("in/deep",)
        assert folder.sha256("plain") == hashlib.sha256(b"plain").hexdigest()


@pytest.mark.parametrize(
    "name", ["../outside/secret", "/etc/passwd", "in/../plain", "./plain", "", "in//deep", "a\0b"]
)
def test_names_stay_inside(place: Path, name: str) -> None:
    with open_folder(place, RULES) as folder:
        for ask in (folder.read, folder.holds, folder.sha256, folder.holds_folder):
            with pytest.raises(InputError, match="not a path inside"):
                ask(name)


def test_links_lead_nowhere(place: Path) -> None:
    (place / "file").symlink_to(place.parent / "outside" / "secret")
    (place / "folder").symlink_to(place.parent / "outside")
    (place / "own").symlink_to("plain")
    with open_folder(place, RULES) as folder:
        for name in ("file", "folder/secret", "own"):
            assert not folder.has(name)
            for ask in (folder.read, folder.holds, folder.sha256, folder.executable):
                with pytest.raises(InputError, match=r"is a link, not a plain (file|folder)"):
                    ask(name)
        with pytest.raises(InputError, match="folder: is a link"):
            folder.holds_folder("folder")
        odd = {entry.name: entry.problem for entry in folder.entries() if entry.problem}
        assert set(odd) == {"file", "folder", "own"}


def test_a_link_that_is_put_in_a_file_s_place_meanwhile_is_not_followed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = os.stat

    def swapped(name: object, **named: object) -> os.stat_result:
        found = looked(name, **named)  # type: ignore[arg-type]
        if name == "plain" and not (place / "plain").is_symlink():
            (place / "plain").unlink()
            (place / "plain").symlink_to(place.parent / "outside" / "secret")
        return found

    monkeypatch.setattr(os, "stat", swapped)
    with open_folder(place, RULES) as folder, pytest.raises(InputError, match="plain: "):
        folder.read("plain")


@pytest.mark.timeout(20)
def test_a_pipe_and_a_socket_do_not_block(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(place / "pipe")
    monkeypatch.chdir(place)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket")
    with open_folder(place, RULES) as folder:
        for name in ("pipe", "socket"):
            with pytest.raises(InputError, match=f"is a {name}, not a plain file"):
                folder.read(name)


def test_sizes_are_known_before_anything_is_read(place: Path) -> None:
    with (place / "sparse").open("wb") as stream:
        stream.truncate(2**40)
    (place / "small").write_bytes(bytes(11))
    (place / "large").write_bytes(bytes(101))
    with open_folder(place, RULES) as folder:
        for name in ("sparse", "small", "large"):
            for ask in (folder.read, folder.sha256):
                with pytest.raises(InputError, match=f"{name}: has .* more than the"):
                    ask(name)
        with pytest.raises(InputError, match="holds more than 1,000 bytes"):
            folder.files()


def test_too_many_and_too_deep_are_refused(place: Path) -> None:
    few, many = replace(RULES, entries=2), replace(RULES, entries=1000)
    with open_folder(place, few) as folder, pytest.raises(InputError, match="more than 2 files"):
        folder.files()
    deep = place
    for _ in range(DEPTH + 2):
        deep = deep / "x"
    deep.mkdir(parents=True)
    with open_folder(place, many) as folder, pytest.raises(InputError, match="inside each other"):
        folder.files()


def test_a_name_that_is_no_text_is_refused(place: Path) -> None:
    Path(os.fsdecode(os.fsencode(place) + b"/no\xfftext")).write_text("x")
    with open_folder(place, RULES) as folder, pytest.raises(InputError, match="not UTF-8"):
        folder.files()


def test_what_is_left_out_is_not_looked_into(place: Path) -> None:
    (place / ".git").mkdir()
    os.mkfifo(place / ".git" / "pipe")
    (place / "in" / ".git").write_text("gitdir: ../../elsewhere")
    with open_folder(place, replace(RULES, left_out={".git"}.__contains__)) as folder:
        assert folder.files() == ("in/deep", "plain")


def test_a_folder_inside_has_rules_of_its_own(place: Path) -> None:
    with open_folder(place, RULES) as folder:
        with folder.below("in", replace(RULES, file_bytes=3)) as inside:
            assert inside.path == place / "in"
            with pytest.raises(InputError, match="deep: has 4 bytes, more than the 3"):
                inside.read("deep")
        with pytest.raises(InputError, match="none: cannot be read"), folder.below("none", RULES):
            pass


def test_no_descriptor_stays_open(place: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    (place / "link").symlink_to("plain")
    with open_folder(place, RULES) as folder:
        for name in ("link", "none", "link/x", "plain/x"):
            assert not folder.has(name)
            with pytest.raises(InputError):
                folder.read(name)
        with folder.below("in", RULES) as inside:
            inside.read("deep")
        list(folder.entries())
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_is_no_folder_is_named(place: Path) -> None:
    os.mkfifo(place / "pipe")
    for name in ("plain", "pipe", "none"):
        named = pytest.raises(InputError, match=f"{name}: cannot be opened")
        with named, open_folder(place / name, RULES):
            pass
