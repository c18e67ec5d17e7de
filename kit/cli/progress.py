"""Progress for users: a live line on a terminal, timestamped lines elsewhere."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as Bar
from rich.table import Column
from rich.text import Text

from kit.app.runtime import Phase, Progress
from kit.report.text import lines, plain

_BAR_FROM = 100
"""Columns of a terminal from which a phase has a bar; below, its step has the room."""


def progress_for(console: Console) -> Progress:
    """Return live progress if the console is a terminal, else plain progress."""
    return LiveProgress(console) if console.is_terminal else PlainProgress()


class Estimate:
    """The time left in a phase, from the seconds that its units are expected to take.

    As soon as the units that are done were expected to take as long as the longest one, their
    real pace scales the others: shorter units at the start say little.
    """

    def __init__(self, expected_s: Sequence[float]) -> None:
        self._expected_s = expected_s
        self._earliest = len(expected_s)
        self._limit_s = math.inf
        self._done = 0
        self._start = time.monotonic()
        self._last = self._start

    def advance(self) -> None:
        """Count one unit as done now."""
        self._done += 1
        self._last = time.monotonic()

    def may_end(self, units: int, limit_s: float) -> None:
        """Take note that the phase may end after so many units, and ends after ``limit_s``."""
        self._earliest, self._limit_s = units, limit_s

    def left(self) -> str:
        """Return the time left: "3:20 left", or "3:20 to 41:00 left" if it may end earlier.

        "" if there is no estimate.
        """
        if not self._expected_s:
            return ""
        now = time.monotonic()
        since, pace = now - self._last, self._pace()
        rest = self._expected_s[self._done :]
        most = min(pace * sum(rest) - since, self._limit_s - (now - self._start))
        least = pace * sum(rest[: max(self._earliest - self._done, 0)]) - since
        if least >= most:
            return f"{_clock(most)} left"
        return f"{_clock(least)} to {_clock(most)} left"

    def _pace(self) -> float:
        expected = sum(self._expected_s[: self._done])
        enough = self._done > 0 and expected >= max(self._expected_s)
        return (self._last - self._start) / expected if enough else 1.0


def _clock(seconds: float) -> str:
    rounded = max(int(seconds), 0)
    return f"{rounded // 60}:{rounded % 60:02d}"


class PlainProgress:
    """Timestamped lines on standard error."""

    @contextmanager
    def phase(
        self,
        name: str,
        expected_s: Sequence[float] = (),
        go_on: str = "",
    ) -> Iterator[Phase]:
        """See ``kit.app.runtime.Progress``."""
        phase = _PlainPhase(name, Estimate(expected_s))
        try:
            yield phase
        except KeyboardInterrupt:
            phase.say(_interrupted(go_on))
            raise


class _PlainPhase:
    def __init__(self, name: str, estimate: Estimate) -> None:
        self._name = name
        self._estimate = estimate

    def step(self, text: str) -> None:
        left = self._estimate.left()
        self.say(f"{self._name}: {text}" + (f" ({left})" if left else ""))

    def detail(self, text: str) -> None:
        """Print nothing: a log of a job would have a line for each step of each build."""

    def advance(self) -> None:
        self._estimate.advance()

    def may_end(self, units: int, limit_s: float = math.inf) -> None:
        self._estimate.may_end(units, limit_s)

    def say(self, text: str) -> None:
        # Text and newline in one write, because threads may write concurrently.
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} {lines(text)}\n")
        sys.stderr.flush()


class LiveProgress:
    """One live line per phase: name, step, elapsed and remaining time."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def phase(
        self,
        name: str,
        expected_s: Sequence[float] = (),
        go_on: str = "",
    ) -> Iterator[Phase]:
        """See ``kit.app.runtime.Progress``."""
        columns: list[ProgressColumn] = [
            SpinnerColumn(),
            TextColumn("[bold]{task.description}"),
            TimeElapsedColumn(),
        ]
        if expected_s and self._console.width >= _BAR_FROM:
            columns.append(BarColumn(bar_width=12))
        if expected_s:
            columns.append(MofNCompleteColumn())
        estimate = Estimate(expected_s)
        # The step takes what the others leave; else all are cut alike where it is long.
        rest = Column(ratio=1, no_wrap=True, overflow="ellipsis")
        step = TextColumn("{task.fields[step]}", markup=False, table_column=rest)
        bar = Bar(*columns, _LeftColumn(estimate), step, console=self._console, expand=True)
        try:
            with bar:
                yield _LivePhase(bar, name, len(expected_s) or None, estimate)
        except KeyboardInterrupt:
            self._console.print(_interrupted(go_on), markup=False, highlight=False)
            raise


class _LeftColumn(ProgressColumn):
    """Column with the time left, which counts down between the phase's updates."""

    def __init__(self, estimate: Estimate) -> None:
        super().__init__()
        self._estimate = estimate

    def render(self, _task: Task) -> Text:
        return Text(self._estimate.left())


class _LivePhase:
    """Phase with one line for the main thread and one for each other thread at work."""

    def __init__(self, bar: Bar, name: str, total: int | None, estimate: Estimate) -> None:
        self._bar = bar
        self._name = name
        self._estimate = estimate
        self._task = bar.add_task(name, total=total, step="")
        self._lines: dict[threading.Thread, TaskID] = {}

    def detail(self, text: str) -> None:
        self.step(text)

    def step(self, text: str) -> None:
        self._bar.update(self._line(threading.current_thread()), step=plain(text, 200))

    def _line(self, thread: threading.Thread) -> TaskID:
        for done in [other for other in list(self._lines) if not other.is_alive()]:
            line = self._lines.pop(done, None)
            if line is not None:
                self._bar.remove_task(line)
        if thread is threading.main_thread():
            return self._task
        if thread not in self._lines:
            self._lines[thread] = self._bar.add_task(self._name, total=None, step="")
        return self._lines[thread]

    def advance(self) -> None:
        self._estimate.advance()
        self._bar.update(self._task, advance=1)

    def may_end(self, units: int, limit_s: float = math.inf) -> None:
        self._estimate.may_end(units, limit_s)

    def say(self, text: str) -> None:
        self._bar.console.print(lines(text), markup=False, highlight=False)


def _interrupted(go_on: str) -> str:
    if not go_on:
        return "interrupted; what was built is kept: repeat the command to go on"
    return f"interrupted; nothing measured is lost: {go_on}"
