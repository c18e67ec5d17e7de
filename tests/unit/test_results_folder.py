"""Every command on every odd file of a results folder: it ends, by a documented code, inside.

``test_odd_folders`` says what each command answers. Here all of them meet all of the names
that kit reads or writes, and what lies outside the folder stays as it was.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from test_odd_folders import (
    KEYS,
    READERS,
    folder_there,
    link_to_nothing,
    link_to_zeros,
    pipe,
    socket_there,
)
from test_pipeline import STUDY, Bench

import kit.cli
from kit import pipeline
from kit.errors import ERRORS
from kit.results import folder as results

pytestmark = pytest.mark.timeout(60)
# Names that are answered alike are replaced together: one refusal would hide the others.
PLACES = {
    "log": ["runlog.jsonl"],
    "study": ["study/study.yaml"],
    "folders": ["formats", "plots"],
    "files": [
        "report.md", "report.md.part", "results.json", "SHA256SUMS", "SHA256SUMS.part",
        "appendix.tex", "appendix.tex.part",
    ],
}  # fmt: skip
DOCUMENTED = {0, *(error.exit_code for error in ERRORS if error.exit_code != 1)}


def around(place: Path) -> Path:
    return next(parent.parent for parent in place.parents if parent.name == "here")


def link_to_keys(place: Path) -> None:
    place.symlink_to(around(place) / "keys")


def link_to_the_folder_outside(place: Path) -> None:
    place.symlink_to(around(place) / "outside")


KINDS: list[Callable[[Path], None]] = [
    link_to_keys, link_to_the_folder_outside, link_to_nothing, link_to_zeros, pipe, socket_there,
    folder_there,
]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Bench(tmp_path_factory.mktemp("made")).reproduce()
    pipeline.report(folder, STUDY)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    (tmp_path / "outside").mkdir()
    for name in ("keys", "outside/authorized_keys", "outside/gains.svg", "outside/fits.csv"):
        (tmp_path / name).write_text(KEYS)
    return Path(shutil.copytree(made, tmp_path / "here"))


def outside(folder: Path) -> dict[str, bytes]:
    """What lies beside the folder, by its path."""
    around = folder.parent
    return {
        path.relative_to(around).as_posix(): path.read_bytes()
        for path in around.rglob("*")
        if folder not in path.parents and path.is_file()
    }


@pytest.mark.parametrize("places", PLACES)
@pytest.mark.parametrize("command", READERS)
def test_no_odd_file_stops_a_command_or_leads_it_out(
    folder: Path, tmp_path: Path, command: str, places: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = outside(folder)
    whole = folder.rename(tmp_path / "whole")
    for kind in KINDS:
        shutil.copytree(whole, folder)
        for name in PLACES[places]:
            place = folder / name
            if place.is_dir():
                shutil.rmtree(place)
            place.unlink(missing_ok=True)
            kind(place)
        code = kit.cli.run(READERS[command](str(folder)))
        said = capsys.readouterr().err
        assert code in DOCUMENTED, f"{kind.__name__}: {code} {said}"
        assert "Traceback" not in said, kind.__name__
        shutil.rmtree(folder)
    shutil.rmtree(whole)
    assert outside(folder) == before


@pytest.mark.parametrize("name", ["SHA256SUMS", "results.json"])
def test_verify_names_a_file_that_is_too_large(
    folder: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    os.truncate(folder / name, 2_000_000_000)  # sparse: it takes no room
    assert kit.cli.run(["verify", str(folder)]) == 8
    assert name in capsys.readouterr().out


@pytest.mark.parametrize("command", READERS)
def test_too_large_a_log_is_refused_by_its_name(
    folder: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    os.truncate(folder / "runlog.jsonl", 2_000_000_000)
    code = kit.cli.run(READERS[command](str(folder)))
    assert code == (8 if command == "verify" else 2)
    assert "runlog.jsonl: has 2,000,000,000 bytes" in "".join(capsys.readouterr())


def test_too_many_files_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(results, "_RULES", replace(results._RULES, entries=5))
    for command in ("verify", "report"):
        assert kit.cli.run([command, str(folder)]) not in (0, 1), command
    assert "holds more than 5 files and folders" in "".join(capsys.readouterr())
