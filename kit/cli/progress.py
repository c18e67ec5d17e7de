"""Progress for people: a live line on a terminal, timestamped lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as Bar
from rich.text import Text

from kit.progress import Phase, Progress
from kit.report.text import lines, plain


def progress_for(console: Console) -> Progress:
    """Live where the console is a terminal, plain otherwise."""
    return LiveProgress(console) if console.is_terminal else PlainProgress()


class Estimate:
    """When a phase will be done: first as expected, then by its own pace."""

    def __init__(self, total: int | None, expected_s: float | None) -> None:
        self._total = total
        self._expected_s = expected_s
        self._done = 0
        self._start = time.monotonic()
        self._last = self._start

    def advance(self) -> None:
        """One unit is done now."""
        self._done += 1
        self._last = time.monotonic()

    def left(self) -> str:
        """Such as "3:20 left"; empty where nothing can be told."""
        now = time.monotonic()
        if self._total and self._done:
            pace = (self._last - self._start) / self._done
            seconds = pace * (self._total - self._done) - (now - self._last)
        elif self._expected_s is not None:
            seconds = self._expected_s - (now - self._start)
        else:
            return ""
        whole = max(int(seconds), 0)
        return f"{whole // 60}:{whole % 60:02d} left"


class PlainProgress:
    """Timestamped lines on standard error."""

    @contextmanager
    def phase(
        self,
        name: str,
        total: int | None = None,
        expected_s: float | None = None,
        go_on: str = "",
    ) -> Iterator[Phase]:
        """See ``kit.progress.Progress``."""
        phase = _PlainPhase(name, Estimate(total, expected_s))
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

    def advance(self) -> None:
        self._estimate.advance()

    def say(self, text: str) -> None:
        said = f"{time.strftime('%H:%M:%S')} {lines(text)}"
        print(said, file=sys.stderr, flush=True)  # noqa: T201


class LiveProgress:
    """One live line a phase: name, step, elapsed, left."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def phase(
        self,
        name: str,
        total: int | None = None,
        expected_s: float | None = None,
        go_on: str = "",
    ) -> Iterator[Phase]:
        """See ``kit.progress.Progress``."""
        columns = [SpinnerColumn(), TextColumn("[bold]{task.description}"), TimeElapsedColumn()]
        if total is not None:
            columns += [BarColumn(bar_width=12), MofNCompleteColumn()]
        estimate = Estimate(total, expected_s)
        columns += [_LeftColumn(estimate), TextColumn("{task.fields[step]}", markup=False)]
        bar = Bar(*columns, console=self._console)
        try:
            with bar:
                yield _LivePhase(bar, name, total, estimate)
        except KeyboardInterrupt:
            self._console.print(_interrupted(go_on), markup=False, highlight=False)
            raise


class _LeftColumn(ProgressColumn):
    """Counts down between the phase's own updates."""

    def __init__(self, estimate: Estimate) -> None:
        super().__init__()
        self._estimate = estimate

    def render(self, _task: Task) -> Text:
        return Text(self._estimate.left())


class _LivePhase:
    def __init__(self, bar: Bar, name: str, total: int | None, estimate: Estimate) -> None:
        self._bar = bar
        self._estimate = estimate
        self._task = bar.add_task(name, total=total, step="")

    def step(self, text: str) -> None:
        line = plain(text, 200)
        self._bar.update(self._task, step=line)

    def advance(self) -> None:
        self._estimate.advance()
        self._bar.update(self._task, advance=1)

    def say(self, text: str) -> None:
        self._bar.console.print(lines(text), markup=False, highlight=False)


def _interrupted(go_on: str) -> str:
    if not go_on:
        return "interrupted; what was built is kept: repeat the command to go on"
    return f"interrupted; nothing measured is lost: {go_on}"
