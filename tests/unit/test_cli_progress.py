"""Progress: timestamped lines in a pipe, a live line on a terminal."""

from __future__ import annotations

import io
import math
import re

import pytest
from rich.console import Console

from kit.cli.progress import Estimate, LiveProgress, PlainProgress, progress_for


def console(terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=100)


def test_the_console_decides() -> None:
    assert isinstance(progress_for(console(True)), LiveProgress)
    assert isinstance(progress_for(console(False)), PlainProgress)


def test_plain_lines_have_a_time_the_phase_and_what_is_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with PlainProgress().phase("runs", [62.5, 62.5]) as phase:
        phase.step("block 1/1: python-cpu")
        phase.advance()
        phase.say("t0 failed")
    out, err = capsys.readouterr()
    first, second = err.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d runs: block 1/1: python-cpu \(2:0[45] left\)", first)
    assert re.fullmatch(r"\d\d:\d\d:\d\d t0 failed", second)
    assert out == ""


@pytest.mark.parametrize("live", [True, False])
def test_an_interruption_says_how_to_resume(capsys: pytest.CaptureFixture[str], live: bool) -> None:
    screen = console(True)
    progress = LiveProgress(screen) if live else PlainProgress()
    with pytest.raises(KeyboardInterrupt), progress.phase("runs", go_on="kit x --resume /r/s1"):
        raise KeyboardInterrupt
    said = screen.file.getvalue() if live else capsys.readouterr().err
    assert "nothing measured is lost: kit x --resume /r/s1" in said


@pytest.mark.parametrize("live", [True, False])
def test_the_output_of_a_program_stays_text(capsys: pytest.CaptureFixture[str], live: bool) -> None:
    screen = console(True)
    with (LiveProgress(screen) if live else PlainProgress()).phase("runs") as phase:
        phase.say("t0 failed\n\x1b]0;owned\x07\x1b[31mred\u202e")
    said = screen.file.getvalue() if live else capsys.readouterr().err
    assert "owned" not in said and "\u202e" not in said and "\x1b[31m" not in said
    assert "t0 failed\nred" in said.replace("\r", "")


def test_an_interruption_before_any_folder_says_what_is_kept(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(KeyboardInterrupt), PlainProgress().phase("images"):
        raise KeyboardInterrupt
    err = capsys.readouterr().err
    assert "repeat the command" in err
    assert "--resume" not in err


def test_a_terminal_shows_phase_step_count_and_what_is_left() -> None:
    screen = console(True)
    with LiveProgress(screen).phase("runs", [25] * 8) as phase:
        phase.step("block 1/3: [bold]dotnet-cpu\nmore")
        phase.advance()
        phase.say("t0 failed: [red]exit code 1")
    shown = screen.file.getvalue()
    for words in ("runs", "block 1/3: [bold]dotnet-cpu more", "1/8", "left", "[red]exit code 1"):
        assert words in shown


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_a_long_step_is_cut_and_leaves_the_name_and_the_time(width: int) -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=width)
    with LiveProgress(screen).phase("images") as phase:
        phase.step(f"python-cpu: Step 20/41 : RUN set -e; {'if true; then exit; fi; ' * 9}")
    lines = [line for line in re.split(r"[\r\n]", screen.file.getvalue()) if "python-cpu" in line]
    assert lines
    for line in lines:
        assert "images" in line and "0:00:0" in line


def test_an_estimate_goes_from_what_is_expected_to_its_own_pace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([0.0, 10.0, 50.0, 60.0, 500.0])
    monkeypatch.setattr("kit.cli.progress.time.monotonic", lambda: next(clock))
    estimate = Estimate([25] * 4)
    assert estimate.left() == "1:30 left"
    estimate.advance()
    assert estimate.left() == "2:20 left"
    assert estimate.left() == "0:00 left"


def test_units_shorter_than_the_longest_do_not_set_the_pace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([0.0, 20.0, 20.0, 100.0, 100.0])
    monkeypatch.setattr("kit.cli.progress.time.monotonic", lambda: next(clock))
    estimate = Estimate([10, 40, 40])
    estimate.advance()
    assert estimate.left() == "1:20 left", "as planned, though the first took twice as long"
    estimate.advance()
    assert estimate.left() == "1:20 left", "50 s took 100: 40 s will take 80"


def test_a_phase_that_may_end_earlier_has_a_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kit.cli.progress.time.monotonic", lambda: 0.0)
    estimate = Estimate([30] * 6)
    estimate.may_end(2, math.inf)
    assert estimate.left() == "1:00 to 3:00 left"
    monkeypatch.setattr("kit.cli.progress.time.monotonic", lambda: 60.0)
    estimate.advance()
    estimate.advance()
    assert estimate.left() == "0:00 to 2:00 left"
    estimate.may_end(6, math.inf)
    assert estimate.left() == "2:00 left"
    estimate.may_end(4, 90.0)
    assert estimate.left() == "0:30 left", "its minutes are up before the fourth unit"


def test_an_estimate_of_nothing_known_is_empty() -> None:
    assert Estimate([]).left() == ""
