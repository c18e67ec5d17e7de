"""A host CPython to adopt: which one, for which Debian, and why not."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from kit.images.bases import hostpython
from kit.images.bases.hostpython import (
    SUITES,
    HostPython,
    find_host_python,
    inspect,
    packages_for,
    python_files,
    python_links,
    suite_for,
)

BULLSEYE, BOOKWORM, TRIXIE = SUITES
# A version that no host has, so that the host's own interpreters are not found.
MINOR = "3.97"
PYTHON = HostPython("3.97.2", Path("p"), Path("l"), Path("s"), frozenset({"libz.so.1"}), (2, 17))


def elf(needed: tuple[str, ...] = (), glibc: str = "GLIBC_2.17") -> bytes:
    """A file with nothing but what the loader would look for."""
    names = b"\0"
    places = {}
    for text in (*needed, "libc.so.6", glibc):
        places[text] = len(names)
        names += text.encode() + b"\0"
    dynamic = b"".join(struct.pack("<qQ", 1, places[n]) for n in (*needed, "libc.so.6"))
    dynamic += struct.pack("<qQ", 0, 0)
    versions = struct.pack("<HHIII", 1, 1, places["libc.so.6"], 16, 0)
    versions += struct.pack("<IHHII", 0, 0, 2, places[glibc], 0)
    labels = b"\0.dynstr\0.dynamic\0.gnu.version_r\0.shstrtab\0"
    sections = [
        (b".dynstr", 3, 0, 0, names),
        (b".dynamic", 6, 1, 16, dynamic),
        (b".gnu.version_r", 0x6FFFFFFE, 1, 0, versions),
        (b".shstrtab", 3, 0, 0, labels),
    ]
    body, table = b"", b"\0" * 64
    for label, kind, link, entry, content in sections:
        table += struct.pack(
            "<IIQQQQIIQQ", labels.index(label), kind, 0, 0, 64 + len(body), len(content), link,
            1 if kind == 0x6FFFFFFE else 0, 8, entry,
        )  # fmt: skip
        body += content
    head = b"\x7fELF\x02\x01\x01" + b"\0" * 9
    head += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 0, 64 + len(body), 0, 64, 0, 0, 64, 5, 4)
    return head + body + table


class Install:
    """A made-up installation: a script that answers the query, and its files."""

    def __init__(self, root: Path, version: str = "3.97.2") -> None:
        self.root = root
        self.stdlib = root / "lib" / f"python{MINOR}"
        self.script = root / "bin" / f"python{MINOR}"
        self.real = root / "bin" / "real"
        self.library = root / "lib" / f"libpython{MINOR}.so.1.0"
        for path in (self.script, self.stdlib / "ensurepip" / "_bundled" / "pip.whl",
                     self.stdlib / "lib-dynload" / "_ssl.so"):  # fmt: skip
            path.parent.mkdir(parents=True, exist_ok=True)
        self.real.write_bytes(elf())
        self.library.write_bytes(elf(("libz.so.1",)))
        (self.stdlib / "lib-dynload" / "_ssl.so").write_bytes(elf(("libssl.so.3",), "GLIBC_2.34"))
        self.facts: dict[str, object] = {
            "version": version,
            "minor": [3, 97],
            "implementation": "cpython",
            "executable": str(self.real),
            "shared": True,
            "library": self.library.name,
            "library_dir": str(self.library.parent),
            "base_prefix": str(root),
            "stdlib": str(self.stdlib),
        }
        self.answer()

    def answer(self, **facts: object) -> Path:
        self.facts |= facts
        return self.says(f"echo '{json.dumps(self.facts)}'")

    def says(self, body: str) -> Path:
        self.script.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        self.script.chmod(0o755)
        return self.script


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(hostpython, "WANTED", (3, 97))
    for name in ("PYENV_ROOT", "XDG_DATA_HOME", "UV_PYTHON_INSTALL_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return tmp_path / "home"


def pyenv(home: Path, version: str = "3.97.2") -> Install:
    return Install(home / ".pyenv" / "versions" / version, version)


def test_an_adoptable_one_is_found_with_what_it_needs(home: Path) -> None:
    install = pyenv(home)
    found = find_host_python()
    assert not isinstance(found, str), found
    python, suite = found
    assert python.version == "3.97.2" and python.executable == install.real
    assert python.needs == {"libz.so.1", "libssl.so.3"}
    assert python.glibc == (2, 34)
    assert suite == BOOKWORM


def test_no_interpreter_at_all() -> None:
    assert find_host_python() == f"no CPython {MINOR} in pyenv, uv, /usr/bin or PATH"


@pytest.mark.parametrize("variable", ["PYENV_ROOT", "UV_PYTHON_INSTALL_DIR", "PATH"])
def test_the_places_that_are_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    root = tmp_path / "place"
    inside = {
        "PYENV_ROOT": "versions/3.97.2",
        "UV_PYTHON_INSTALL_DIR": "cpython-3.97.2-x",
        "PATH": "",
    }
    install = Install(root / inside[variable])
    monkeypatch.setenv(variable, str(install.script.parent if variable == "PATH" else root))
    found = find_host_python()
    assert not isinstance(found, str), found
    assert found[0].executable == install.real


def test_a_broken_one_is_passed_over_for_the_next(home: Path) -> None:
    pyenv(home, "3.97.9").says("exit 1")
    good = pyenv(home, "3.97.2")
    found = find_host_python()
    assert not isinstance(found, str) and found[0].executable == good.real


def test_the_newest_patch_release_is_taken(home: Path) -> None:
    pyenv(home, "3.97.9")
    newest = pyenv(home, "3.97.20")
    found = find_host_python()
    assert not isinstance(found, str) and found[0].executable == newest.real


def test_every_reason_is_told_with_its_interpreter(home: Path) -> None:
    broken, static = pyenv(home, "3.97.1"), pyenv(home, "3.97.2")
    broken.says("exit 3")
    static.answer(shared=False)
    found = find_host_python()
    assert isinstance(found, str)
    assert f"{broken.script}: does not run" in found
    assert f"{static.script}: has no shared libpython" in found


@pytest.mark.parametrize("body", ["exit 1", "echo no json", "", "kill -9 $$"])
def test_one_that_does_not_answer_does_not_run(home: Path, body: str) -> None:
    found = inspect(pyenv(home).says(body))
    assert isinstance(found, str) and found.startswith("does not run")


def test_one_that_may_not_be_executed(home: Path) -> None:
    install = pyenv(home)
    install.script.chmod(0o644)
    found = inspect(install.script)
    assert isinstance(found, str) and "Permission denied" in found


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"implementation": "pypy"}, "is pypy 3.97.2"),
        ({"minor": [3, 8], "version": "3.8.1"}, "is cpython 3.8.1"),
        ({"shared": False}, "has no shared libpython"),
        ({"library": "libpython.a"}, "has no shared libpython"),
    ],
)
def test_what_makes_one_unadoptable(home: Path, facts: dict[str, object], reason: str) -> None:
    assert inspect(pyenv(home).answer(**facts)) == reason


def test_one_without_pips_bootstrap_names_the_package(home: Path) -> None:
    install = pyenv(home)
    (install.stdlib / "ensurepip" / "_bundled").rmdir()
    found = inspect(install.script)
    assert isinstance(found, str) and "ensurepip" in found and "venv" in found


@pytest.mark.parametrize("answer", ["{}", "[]", "3"])
def test_an_answer_of_another_form_does_not_run(home: Path, answer: str) -> None:
    assert isinstance(inspect(pyenv(home).says(f"echo '{answer}'")), str)


def test_a_damaged_library_is_a_reason(home: Path) -> None:
    install = pyenv(home)
    install.library.write_bytes(b"not a library")
    assert isinstance(inspect(install.script), str)


@pytest.mark.parametrize(
    ("needs", "glibc", "suite"),
    [
        (("libssl.so.1.1", "libffi.so.7"), (2, 28), "bullseye"),
        (("libz.so.1",), (2, 31), "bullseye"),
        (("libz.so.1",), (2, 32), "bookworm"),
        (("libssl.so.3", "libffi.so.8"), (2, 17), "bookworm"),
        (("libssl.so.3",), (2, 37), "trixie"),
    ],
)
def test_the_oldest_suite_that_fits(
    needs: tuple[str, ...], glibc: tuple[int, int], suite: str
) -> None:
    found = suite_for(replace(PYTHON, needs=frozenset(needs), glibc=glibc))
    assert not isinstance(found, str) and found.name == suite


def test_no_suite_fits_and_each_says_why() -> None:
    found = suite_for(replace(PYTHON, needs=frozenset({"libssl.so.1.1"}), glibc=(2, 36)))
    assert isinstance(found, str)
    assert "bullseye has an older glibc" in found
    assert "bookworm lacks libssl.so.1.1" in found and "trixie lacks libssl.so.1.1" in found


def test_a_suite_that_fits_none_is_a_reason(home: Path) -> None:
    install = pyenv(home)
    install.library.write_bytes(elf(("libodd.so.9",)))
    found = find_host_python()
    assert isinstance(found, str) and "lacks libodd.so.9" in found


def test_packages_of_the_suite() -> None:
    python = replace(PYTHON, needs=frozenset({"libssl.so.3", "libcrypto.so.3", "libgdbm.so.6"}))
    assert packages_for(python, BOOKWORM) == ("libgdbm6", "libssl3")
    assert packages_for(python, TRIXIE) == ("libgdbm6t64", "libssl3t64")


def test_what_is_copied_and_what_is_left(home: Path) -> None:
    install = pyenv(home)
    for place in ("os.py", "json/__init__.py", "test/big.py", "site-packages/x.py",
                  "json/__pycache__/a.pyc", "config-3.97-x/Makefile", "unittest/mock.py",
                  "lib-dynload/_tkinter.so", "ensurepip/_bundled/pip.whl"):  # fmt: skip
        path = install.stdlib / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(elf() if place.endswith(".so") else b"")
    python = inspect(install.script)
    assert isinstance(python, HostPython)
    files = {place: path for path, place in python_files(python)}
    below = f"lib/python{MINOR}"
    assert set(files) == {
        f"bin/python{MINOR}", f"lib/{install.library.name}", f"{below}/os.py",
        f"{below}/json/__init__.py", f"{below}/unittest/mock.py",
        f"{below}/lib-dynload/_ssl.so", f"{below}/ensurepip/_bundled/pip.whl",
    }  # fmt: skip
    assert files[f"bin/python{MINOR}"] == install.real
    assert python_links(python) == {
        "bin/python": f"python{MINOR}",
        "bin/python3": f"python{MINOR}",
        f"lib/libpython{MINOR}.so": install.library.name,
    }
