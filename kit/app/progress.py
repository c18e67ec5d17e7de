"""What the pipeline says of its progress; kit.cli decides how it looks."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol


class Phase(Protocol):
    """One phase of the pipeline, under way."""

    def step(self, text: str) -> None:
        """What is being done now."""
        ...

    def advance(self) -> None:
        """One of the phase's units is done."""
        ...

    def say(self, text: str) -> None:
        """Something to keep on the screen, such as the end of a failed run's output."""
        ...


class Progress(Protocol):
    """Makes phases."""

    def phase(
        self,
        name: str,
        total: int | None = None,
        expected_s: float | None = None,
        go_on: str = "",
    ) -> AbstractContextManager[Phase]:
        """Begin a phase of ``total`` units, expected to take so many seconds.

        ``go_on`` is what takes up an interrupted phase where it was; empty where the
        command begins anew.
        """
        ...
