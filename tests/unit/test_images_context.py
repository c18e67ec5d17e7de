"""Build contexts: the same files give the same bytes and the same digest."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from kit.images.build.recipe import Context, recipes

HOST = ("host/",)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "recipe"
    for place in ("Dockerfile", "src/main.cs", "bin/main.dll", "src/obj/x", "__pycache__/a.pyc"):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text(place, encoding="utf-8")
    (root / "run.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    (root / "run.sh").chmod(0o700)
    (root / "Dockerfile").chmod(0o600)
    return root


def filled(folder: Path) -> Context:
    context = Context()
    context.add_folder(folder)
    context.add_bytes(b"CA", "host/ca.crt")
    context.add_links({"bin/python": "python3.8"}, "python/")
    return context


def members(context: Context) -> dict[str, tarfile.TarInfo]:
    with context.tar() as stream, tarfile.open(fileobj=stream) as archive:
        return {member.name: member for member in archive.getmembers()}


def content(context: Context) -> bytes:
    with context.tar() as stream:
        return stream.read()


def test_what_a_folder_holds_without_leftovers(folder: Path) -> None:
    context = Context()
    context.add_folder(folder, "below/", skip=("run.sh",))
    assert sorted(members(context)) == ["below/Dockerfile", "below/src/main.cs"]


def test_modes_links_and_folders(folder: Path) -> None:
    found = members(filled(folder))
    assert found["run.sh"].mode == 0o755
    assert found["Dockerfile"].mode == found["host/ca.crt"].mode == 0o644
    link = found["python/bin/python"]
    assert link.issym() and link.linkname == "python3.8"


def test_owner_and_time_of_the_host_do_not_travel(folder: Path) -> None:
    for member in members(filled(folder)).values():
        assert (member.uid, member.gid, member.uname, member.gname) == (0, 0, "", "")
        assert member.mtime == 0


def test_the_same_files_give_the_same_bytes(folder: Path) -> None:
    before = content(filled(folder))
    os.utime(folder / "Dockerfile", (1, 1))
    (folder / "Dockerfile").chmod(0o664)
    assert content(filled(folder)) == before
    turned = Context()
    turned.add_links({"bin/python": "python3.8"}, "python/")
    turned.add_bytes(b"CA", "host/ca.crt")
    turned.add_folder(folder)
    assert content(turned) == before


@pytest.mark.slow
def test_a_large_context_is_whole(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(os.urandom(1000) * 9000)
    context = Context()
    context.add_file(tmp_path / "big", "deep/" + "x" * 150 + "/big")
    with context.tar() as stream, tarfile.open(fileobj=stream) as archive:
        opened = archive.extractfile("deep/" + "x" * 150 + "/big")
        assert opened is not None and opened.read() == (tmp_path / "big").read_bytes()


def test_digest_tells_content_place_mode_link_and_extra(folder: Path) -> None:
    digests = [filled(folder).digest(("a",), HOST)]

    def again(context: Context, extra: tuple[str, ...] = ("a",)) -> None:
        digests.append(context.digest(extra, HOST))

    again(filled(folder), ("b",))
    again(filled(folder), ("a", ""))
    relinked = filled(folder)
    relinked.add_links({"bin/python": "python3.9"}, "python/")
    again(relinked)
    more = filled(folder)
    more.add_bytes(b"", "more")
    again(more)
    (folder / "run.sh").chmod(0o600)
    again(filled(folder))
    (folder / "Dockerfile").write_text("FROM other", encoding="utf-8")
    again(filled(folder))
    assert len(set(digests)) == len(digests)


def test_digest_keeps_extra_strings_apart() -> None:
    assert Context().digest(("ab", "c"), ()) != Context().digest(("a", "bc"), ())


def test_digest_ignores_the_hosts_settings(folder: Path) -> None:
    before = filled(folder).digest((), HOST)
    other = filled(folder)
    other.add_bytes(b"another CA", "host/ca.crt")
    other.add_bytes(b"new", "host/npmrc")
    assert other.digest((), HOST) == before
    assert other.digest((), ()) != filled(folder).digest((), ())
    assert content(other) != content(filled(folder))


def test_bytes_and_a_file_of_the_same_content_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    one, other = Context(), Context()
    one.add_file(tmp_path / "x", "x")
    other.add_bytes(b"x", "x")
    assert one.digest((), ()) == other.digest((), ())
    assert content(one) == content(other)


@pytest.mark.parametrize("recipe", ["python/Dockerfile", "dotnet/Dockerfile", "bootstrap/npm.txt"])
def test_the_recipes_are_found(recipe: str) -> None:
    assert (recipes() / recipe).is_file()
