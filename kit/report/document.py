"""A report as blocks of text, independent of any format.

Sections make blocks from the report model; a renderer of ``kit.report.render`` writes them.
Strings are unchanged input: the renderer cleans, cuts and escapes them. No string is markup.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from kit.report.numbers import NONE, UNDETERMINED, Form

CELL_LIMIT = 300
"""Most characters of a string in a table, a heading or a summary."""
PROSE_LIMIT = 1500
"""Most characters of a string in a paragraph or a list."""
ALT_LIMIT = 1000

NUMBER = r"(?:over |below )?[-+<]?\d[\d.]*(?: ?%|x(?: faster| slower)?)?"
"""Pattern of a number as reports print it (``kit.report.numbers``)."""
_AFTER = rf" \[{NUMBER}, {NUMBER}\]| \(sampled\)| \(no interval\)"
_NUMBER = re.compile(rf"{NUMBER}(?:(?: to | / |, ){NUMBER})*(?:{_AFTER})?|{UNDETERMINED}")


class Tone(str, Enum):
    """Colour of a verdict, in formats with colours; the text has all of the meaning."""

    GOOD = "good"
    PART = "part"
    EQUAL = "equal"
    BAD = "bad"
    OPEN = "open"


@dataclass(frozen=True)
class Strong:
    """Important text."""

    text: str
    tone: Tone | None = None


@dataclass(frozen=True)
class Code:
    """A name or a command, inside a sentence or a cell."""

    text: str


@dataclass(frozen=True)
class Link:
    """A link to a file of the results folder, by its path there, which kit chose."""

    text: str
    path: str


@dataclass(frozen=True)
class Either:
    """An effect as a gain and as a factor, of which a page shows the one that is asked for.

    Every other format has ``text``, the one of the two that the report uses.
    """

    text: str
    gain: str
    factor: str


Inline: TypeAlias = "str | Strong | Code | Link | Either"
Text: TypeAlias = "Inline | tuple[Inline, ...]"


@dataclass(frozen=True)
class Heading:
    """A heading. Level 1 is the title, 2 a section, 3 a part of one.

    ``folded``: a page shows what is below it only when the reader opens it.
    """

    level: int
    text: str
    folded: bool = False


@dataclass(frozen=True)
class Answer:
    """The word of a verdict as a badge, the sentence that says what was found, and a note."""

    word: Strong
    sentence: str
    note: str = ""


@dataclass(frozen=True)
class Paragraph:
    """One paragraph."""

    text: Text


@dataclass(frozen=True)
class List:
    """An unordered list."""

    items: tuple[Text, ...]


@dataclass(frozen=True)
class CodeBlock:
    """A program's output, of which renderers keep the end."""

    text: str


@dataclass(frozen=True)
class Command:
    """A command to type, on one line, below its purpose; a page offers to copy it."""

    text: str
    purpose: str = ""


@dataclass(frozen=True)
class Replaced:
    """A component that was wanted, and what was used instead. Tone BAD: verdicts depend on it."""

    name: str
    wanted: str
    got: str
    tone: Tone | None = None


@dataclass(frozen=True)
class Replacements:
    """Replaced components in a row, after a label that ends with a colon."""

    label: str
    items: tuple[Replaced, ...]


@dataclass(frozen=True)
class Bar:
    """A measured effect to draw next to its row, as natural logarithms of a ratio of times.

    Zero means no difference, a positive number a gain. All bars of a table share one scale.
    ``value``, ``low`` and ``high`` are None where nothing informative was measured.
    """

    value: float | None
    low: float | None
    high: float | None
    band: tuple[float, float]
    """The ends of the claim's band."""


@dataclass(frozen=True)
class Table:
    """Rows of the header's length below it. ``limit``: most characters of a string in a cell."""

    header: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]
    limit: int = CELL_LIMIT
    reasons: tuple[tuple[str, Text], ...] = ()
    """For each row its short name, and the explanation that a page shows when it is opened."""
    bars: tuple[Bar | None, ...] = ()
    """For each row its bar, in formats with drawings; None: nothing to draw."""

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Return, for each column, whether all of its values are numbers, ranges or effects."""
        columns = range(len(self.header))
        return tuple(_are_numbers({row[column] for row in self.rows}) for column in columns)


@dataclass(frozen=True)
class Dot:
    """A run in a chart: its place in the order, its seconds, its series and a line about it."""

    series: int
    place: int
    seconds: float
    about: str


@dataclass(frozen=True)
class Chart:
    """The seconds of runs in their order, which a page draws so that one can point at a run.

    Other formats leave it out: a figure shows the same. ``series``: names, main series first.
    """

    title: str
    series: tuple[str, ...]
    dots: tuple[Dot, ...]


@dataclass(frozen=True)
class Figure:
    """A plot. ``path`` is its SVG file in the results folder, ``alt`` its description."""

    path: str
    alt: str
    svg: bytes
    png: bytes


@dataclass(frozen=True)
class Fold:
    """Blocks that a reader unfolds. ``tone``: the summary is the result of a check."""

    summary: str
    blocks: tuple[Block, ...]
    tone: Tone | None = None


Prose: TypeAlias = "Heading | Paragraph | List | Command"
"""Blocks that every format has."""
Block: TypeAlias = "Prose | Answer | CodeBlock | Replacements | Table | Figure | Chart | Fold"


def parts(text: Text) -> tuple[Inline, ...]:
    """Return a text as a tuple of its inline parts; a single part becomes a tuple of one."""
    return text if isinstance(text, tuple) else (text,)


def joined(texts: Iterable[Text], separator: str = ", ") -> tuple[Inline, ...]:
    """Return the inline parts of several texts in a row, with the separator between two texts."""
    found: list[Inline] = []
    for text in texts:
        found += [*([separator] if found else []), *parts(text)]
    return tuple(found)


def either(write: Callable[[Form], str], form: Form) -> Inline:
    """Return what ``write`` makes of an effect in both forms; ``form`` is the report's own."""
    both = Either(write(form), write(Form.GAIN), write(Form.FACTOR))
    return both if both.gain != both.factor else both.text


def facts(rows: Iterable[tuple[str, str]]) -> Table:
    """Return a two-column table of (name, value) rows; an empty value is shown as "not known"."""
    return Table(("property", "value"), tuple((name, value or "not known") for name, value in rows))


def _are_numbers(cells: set[Text]) -> bool:
    there = cells - {NONE, ""}
    return bool(there) and all(
        isinstance(cell, (str, Either))
        and _NUMBER.fullmatch(cell if isinstance(cell, str) else cell.text) is not None
        for cell in there
    )
