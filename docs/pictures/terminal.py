"""A recorded terminal session as SVG: ``python docs/pictures/terminal.py TYPESCRIPT SVG``.

Record the session with ``script -c COMMAND TYPESCRIPT`` in a terminal of 80 columns. Needs pyte,
which works out what the screen showed at the end, next to kit's own packages.
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import pyte
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.text import Text

_COLUMNS, _LINES = 80, 32
_NAMES = {"brown": "yellow", "brightbrown": "brightyellow"}
"""Names of colours that the two packages do not share."""


def main(recorded: Path, drawing: Path) -> None:
    """Draw the last lines that the recorded session left on its screen."""
    screen = pyte.Screen(_COLUMNS, 1000)
    content = recorded.read_bytes().decode(errors="replace")
    first, _, rest = content.partition("\n")
    pyte.Stream(screen).feed(rest if first.startswith("Script started") else content)
    lines = [_line(screen, row) for row in range(1000)]
    while lines and not lines[-1].plain.strip():
        lines.pop()
    if lines and lines[-1].plain.startswith("Script done"):
        lines.pop()
    console = Console(record=True, width=_COLUMNS, file=io.StringIO())
    for line in lines[-_LINES:]:
        console.print(line)
    # The drawing must not fetch a font.
    svg = re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="kit"), flags=re.DOTALL)
    drawing.write_text(svg, encoding="utf-8")


def _line(screen: pyte.Screen, row: int) -> Text:
    text = Text()
    for column in range(_COLUMNS):
        cell = screen.buffer[row][column]
        name = _NAMES.get(cell.fg, cell.fg).replace("bright", "bright_", 1)
        colour = None if name == "default" else Color.parse(name)
        text.append(cell.data, Style(color=colour, bold=cell.bold))
    text.rstrip()
    return text


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
