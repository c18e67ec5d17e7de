"""Markdown tables and folds: the few shapes every section is made of."""

from __future__ import annotations

from collections.abc import Sequence

import tabulate

from kit.report.text import inline

# Whether wcwidth happens to be installed must not decide how a table is padded.
tabulate.WIDE_CHARS_MODE = False


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], right: str = "") -> str:
    """A GitHub table of cells that are already safe; a sentence when there is no row.

    ``right`` has one letter a column, "r" for right-aligned; missing ones are left.
    """
    if not rows:
        return "None."
    letters = right.ljust(len(headers), "l")
    return tabulate.tabulate(
        [list(row) for row in rows],
        headers=list(headers),
        tablefmt="github",
        disable_numparse=True,
        colalign=["right" if letter == "r" else "left" for letter in letters],
    )


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """A table of two columns, its values made safe here; an empty one could not be told."""
    rows = [[inline(name), inline(value) or "not known"] for name, value in pairs]
    return table(["what", "value"], rows)


def bullets(lines: Sequence[str]) -> str:
    """A list of lines that are already safe."""
    return "\n".join(f"- {line}" for line in lines)


def fold(summary: str, body: str) -> str:
    """A folded part; GitHub keeps these two tags, and plain text reads well with them."""
    return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"
