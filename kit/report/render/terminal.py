"""A document on a terminal: at most 80 columns, readable without colour."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from rich import text as rich
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as Grid

from kit.report.document import (
    Command,
    Heading,
    List,
    Paragraph,
    Strong,
    Table,
    Text,
    Tone,
    parts,
)
from kit.report.numbers import NONE
from kit.report.text import part, plain

Shown: TypeAlias = "Heading | Paragraph | List | Table | Command"

WIDTH = 80
_NARROW = 70
"""Below this width a table would cut its cells, so its rows are shown as lists."""
_MIN_WIDTH = 20  # lines for a narrower terminal, or one of unknown width, have this width
_MAX_LINES = 4  # of a wrapped sentence, at full width
_CELL_LIMIT = 40
_GAP = 2  # between columns
_COMMAND_LIMIT = 4000
_COLOURS: Mapping[Tone, str] = {
    Tone.GOOD: "green",
    Tone.PART: "cyan",
    Tone.EQUAL: "magenta",
    Tone.BAD: "red",
    Tone.OPEN: "yellow",
}


def show(blocks: Iterable[Shown], console: Console) -> None:
    """Print the blocks on a console, with an empty line after each.

    The console decides on colour: none if standard output is not a terminal or ``NO_COLOR`` is
    set.
    """
    width = max(min(console.width, WIDTH), _MIN_WIDTH)
    for block in blocks:
        if isinstance(block, Table) and width >= _NARROW:
            console.print(_grid(block, width), width=width)
        else:
            for line in _lines(block, console, width):
                console.print(line, soft_wrap=True)
        console.print()


def text(blocks: Iterable[Shown]) -> str:
    """Return the blocks as text, as on a terminal of 80 columns without colour."""
    written = io.StringIO()
    show(blocks, Console(file=written, width=WIDTH, color_system=None))
    return written.getvalue().rstrip("\n")


def _lines(block: Shown, console: Console, width: int) -> Iterator[rich.Text]:
    match block:
        case Heading(_, name):
            yield from _wrapped(name, console, width)
        case Paragraph(content):
            yield from _wrapped(content, console, width)
        case List(items):
            for item in items:
                yield from _hanging("- ", item, console, width)
        case Command(command, purpose):
            yield from _wrapped(purpose, console, width)
            # Never broken by kit: a terminal that breaks it still copies one line.
            yield rich.Text("    " + part(command, _COMMAND_LIMIT))
        case Table(header, rows):
            for first, *others in rows:
                yield from _wrapped(first, console, width)
                for name, cell in zip(header[1:], others, strict=True):
                    if cell not in ("", NONE):
                        yield from _hanging("  ", (f"{name}: ", *parts(cell)), console, width)


def _grid(table: Table, width: int) -> Grid:
    """Return a table that fits; where it would not, intervals stand below what they are of."""
    rows = [[_styled(cell, _CELL_LIMIT) for cell in row] for row in table.rows]
    columns = zip(table.header, *([cell.plain for cell in row] for row in rows), strict=True)
    longest = [max(cell_len(text) for text in column) for column in columns]
    if sum(longest) + _GAP * (len(longest) - 1) > width:
        rows = [[_broken(cell) for cell in row] for row in rows]
    grid = Grid(
        box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style=""
    )
    for name, numeric in zip(table.header, table.numeric, strict=True):
        grid.add_column(name, justify="right" if numeric else "left")
    for row in rows:
        grid.add_row(*row)
    return grid


def _broken(cell: rich.Text) -> rich.Text:
    before, mark, interval = cell.plain.partition(" [")
    return rich.Text(f"{before}\n[{interval}", cell.style) if mark else cell


def _styled(content: Text, limit: int) -> rich.Text:
    """Return the text with its styles; brackets in a string are not markup."""
    found = rich.Text()
    for inline in parts(content):
        if isinstance(inline, str):
            found.append(part(inline, limit))
        else:
            found.append(plain(inline.text, limit), style=_style(inline))
    return found


def _style(inline: object) -> str:
    if not isinstance(inline, Strong):
        return ""
    return "bold" if inline.tone is None else _COLOURS[inline.tone]


def _hanging(mark: str, content: Text, console: Console, width: int) -> Iterator[rich.Text]:
    for index, line in enumerate(_wrapped(content, console, width - len(mark))):
        yield rich.Text(mark if index == 0 else " " * len(mark)) + line


def _wrapped(content: Text, console: Console, width: int) -> list[rich.Text]:
    """Return lines of at most ``width`` cells: a letter of Korean takes two."""
    styled = _styled(content, WIDTH * _MAX_LINES)
    found = list(styled.wrap(console, width))
    for line in found:
        line.rstrip()
    most = _MAX_LINES * WIDTH // width
    if len(found) > most:
        found = found[:most]
        found[-1].truncate(width - 1)
        found[-1].append("…")
    return found
