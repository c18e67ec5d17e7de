"""Headings of a report, found by the function that makes the section."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kit.report.sections import _EVIDENCE


def heading(make: Callable[..., Any]) -> str:
    """Return the heading above the blocks that ``make`` returns."""
    return next(title for title, maker in _EVIDENCE if maker is make)


def section(text: str, make: Callable[..., Any]) -> str:
    """Return the section of a report in markdown that ``make`` returns."""
    return text.split(f"\n## {heading(make)}\n")[1].split("\n## ", maxsplit=1)[0]


def opening(text: str) -> str:
    """Return what a report in markdown says before its first section."""
    return text.split("\n## ", maxsplit=1)[0]
