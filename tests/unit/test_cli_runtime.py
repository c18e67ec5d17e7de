"""The log of image builds that every command keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.cli.runtime import BuildLog
from kit.environment import build_log


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("KIT_DEBUG", raising=False)
    return tmp_path / "kit"


def test_the_log_holds_the_builds_of_the_last_command(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for lines in (["old"], ["python: Step 1", "python: \x1b[31mred"]):
        log = BuildLog(verbose=False)
        for line in lines:
            log.write(line)
    assert build_log() == state / "build.log"
    assert (state / "build.log").read_text() == "python: Step 1\npython: red\n"
    assert capsys.readouterr() == ("", "")


def test_a_command_that_builds_nothing_keeps_the_log(state: Path) -> None:
    BuildLog(verbose=False).write("kept")
    BuildLog(verbose=False)
    assert (state / "build.log").read_text() == "kept\n"


def test_a_log_that_cannot_be_written_stops_no_build(state: Path) -> None:
    state.write_text("a file in the folder's place")
    log = BuildLog(verbose=False)
    log.write("one")
    log.write("two")


def test_verbose_prints_the_lines_too(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    BuildLog(verbose=True).write("python: Step 1")
    assert capsys.readouterr().err == "python: Step 1\n"
