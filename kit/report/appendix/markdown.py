"""The appendix in markdown."""

from __future__ import annotations

from collections.abc import Sequence

from kit.report.appendix.parts import Command, Facts, Section, Text
from kit.report.tables import table
from kit.report.text import block, inline, plain

LIMIT = 1500
"""Of characters in any string of an appendix."""


def render(title: str, sections: Sequence[Section]) -> str:
    """The whole document."""
    texts = [f"# {inline(title)}"]
    for section in sections:
        texts.append(f"{'#' * (section.level + 1)} {inline(section.title)}")
        texts += [_part(part) for part in section.parts]
    return "\n\n".join(texts) + "\n"


def _part(part: Text | Command | Facts) -> str:
    if isinstance(part, Text):
        return inline(part.text, LIMIT)
    if isinstance(part, Command):
        return block(plain(part.text, LIMIT))
    rows = [[inline(name), inline(value, LIMIT) or "not known"] for name, value in part.rows]
    return table(["what", "value"], rows)
