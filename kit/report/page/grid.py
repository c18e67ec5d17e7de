"""Tables of the page: read from markdown, written as HTML with headers that name their cells."""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence
from typing import Any

from markdown_it import MarkdownIt

from kit.report.numbers import NONE

_RULE = re.compile(r"\|(?:\s*:?-+:?\s*\|)+")
_NUMBER = re.compile(r"[-+<]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?: %|x)?")
# Nothing that markdown or HTML could read as a mark.
_PLAIN = re.compile(r"[^\\&*_`\[\]<>!\"']*")

WIDE = 10
"""A table of more columns is set smaller on paper."""
SHORT = 24
"""Names of rows up to this length stay on one line."""


def is_rule(line: str) -> bool:
    """Whether that line parts a table's header from its rows."""
    return _RULE.fullmatch(line) is not None


def read(lines: Sequence[str]) -> dict[str, Any]:
    """Header, rows, and the columns of numbers (counted from 1); cells are still markdown.

    No cell holds a bar: ``kit.report.text`` writes it as an entity.
    """
    header, _rule, *rows = (_cells(line) for line in lines)
    width = len(header)
    rows = [(row + [""] * width)[:width] for row in rows]
    columns = enumerate(zip(*rows, strict=True), start=1)
    return {
        "header": header,
        "right": tuple(number for number, cells in columns if _are_numbers(set(cells))),
        "rows": rows,
    }


def html(made: MarkdownIt, table: dict[str, Any], env: MutableMapping[str, Any]) -> str:
    """The table in a frame that scrolls.

    The end tags of cells, which HTML does not need, would be a quarter of a long
    session's page; those of rows keep the line's end out of the last cell.
    """
    known: dict[str, str] = {}

    def cell(text: str) -> str:
        if _PLAIN.fullmatch(text):
            return text
        if text not in known:
            known[text] = made.renderInline(text, env)
        return known[text]

    rows: list[list[str]] = table["rows"]
    env["tables"] = env.get("tables", 0) + 1
    env.setdefault("right", set()).update(table["right"])
    title = f"{env['title']}, table {env['tables']}"
    names = {row[0] for row in rows}
    # A first column without repetition names the rows, as ids and arms do.
    first = '<th scope="row">' if len(names) == len(rows) and "" not in names else "<td>"
    classes = " wide" if len(table["header"]) > WIDE else ""
    classes += " short" if max(map(len, names), default=0) <= SHORT else ""
    classes += "".join(f" r{number}" for number in table["right"])
    parts = [
        f'<div class="scroll" role="group" tabindex="0" aria-label="{title}">\n'
        f'<table class="grid{classes}">\n<thead>\n<tr>',
        *(f'<th scope="col">{cell(text)}' if text else "<td>" for text in table["header"]),
        "</tr>\n</thead>\n<tbody>\n",
    ]
    for row in rows:
        parts.append(f"<tr>{first}{'<td>'.join(map(cell, row))}</tr>\n")
    parts.append("</tbody>\n</table>\n</div>\n")
    return "".join(parts)


def _are_numbers(cells: set[str]) -> bool:
    there = cells - {NONE, ""}
    return bool(there) and all(map(_NUMBER.fullmatch, there))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]
