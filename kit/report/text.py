"""Cleaning of strings from containers and hosts, for every renderer and for the terminal.

A version, an error or a log tail is data: it must not hold an escape sequence or reorder its
line. These functions remove control, format and bidi characters and ANSI sequences, then cut
the string. Renderers escape after that, so that a cut cannot split an escape.
"""

from __future__ import annotations

import re

from kit.files.documents import cleaned

INLINE_LIMIT = 300
BLOCK_LIMIT = 4000

_SPACES = re.compile(r"\s+")


def plain(value: str, limit: int = INLINE_LIMIT) -> str:
    """Return text as one line without control characters, cut to ``limit`` characters."""
    return part(value, limit).strip()


def part(value: str, limit: int = INLINE_LIMIT) -> str:
    """Return a part of a line, cleaned as by ``plain``, with spaces at either end as one space."""
    if len(value) <= limit and value.isascii() and value.isprintable() and "  " not in value:
        return value  # most cells of a long table
    # Bound the work on a megabyte before cleaning it; cleaning only shortens.
    line = _SPACES.sub(" ", cleaned(value[: 16 * limit], keep_newlines=False))
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def lines(value: str, limit: int = BLOCK_LIMIT) -> str:
    """Return the last ``limit`` characters of a text, without control characters but newlines."""
    text = value if len(value) <= 4 * limit else value[-4 * limit :]
    text = cleaned(text.replace("\r\n", "\n").replace("\r", "\n"), keep_newlines=True)
    return text if len(text) <= limit else "…" + text[-(limit - 1) :]
