"""What an appendix is made of, in no format yet. Strings are as they came."""

from __future__ import annotations

from dataclasses import dataclass

TO_FILL_IN = "TO FILL IN BY THE AUTHORS"
"""What no log and no study can tell."""


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Command:
    """A line to type."""

    text: str


@dataclass(frozen=True)
class Facts:
    """Names with their values."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Section:
    """A heading and what is below it. ``level`` 1 is a section, 2 a part of one."""

    title: str
    parts: tuple[Text | Command | Facts, ...]
    level: int = 1
