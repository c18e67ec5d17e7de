"""Strings from containers and hosts, made safe to show. The one place for it.

A version, an error or a log tail is data: it must not open a table cell, a
code span, a tag or an escape sequence, nor reorder the line it stands in. Each
function cleans (control, format and bidi characters, ANSI sequences), caps,
then escapes, in that order, so that no cut can open what an escape closed.
"""

from __future__ import annotations

import re
import unicodedata

INLINE_LIMIT = 300
BLOCK_LIMIT = 4000

_ANSI = re.compile(
    r"\x1b\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)"  # operating system command
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # control sequence
    r"|\x1b[ -/]*[0-~]"  # any other escape
)
_SPACES = re.compile(r"\s+")
_ENTITIES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    "|": "&#124;",
    "`": "&#96;",
    "$": "&#36;",  # GitHub reads $...$ as mathematics
}
_ESCAPES = str.maketrans({**_ENTITIES, **{c: f"\\{c}" for c in "\\*[]~"}})
# Inside a word an underscore is plain text to GitHub; escaping it there would
# only make x86_64 unreadable in the plain file.
_OUTER_UNDERSCORE = re.compile(r"(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])")
_BLOCK_START = re.compile(r"^(?:#|[-+=](?=\s|$|[-=])|\d{1,9}(?=[.)](?:\s|$)))")


def plain(value: str, limit: int = INLINE_LIMIT) -> str:
    """One line of text for a terminal: no control characters, no more than ``limit``."""
    line = _SPACES.sub(" ", _clean(_cut_raw(value, limit), keep_newlines=False)).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def lines(value: str, limit: int = BLOCK_LIMIT) -> str:
    """The end of a text of several lines for a terminal, cleaned like one line."""
    text = value if len(value) <= 4 * limit else value[-4 * limit :]
    text = _clean(text.replace("\r\n", "\n").replace("\r", "\n"), keep_newlines=True)
    return text if len(text) <= limit else "…" + text[-(limit - 1) :]


def inline(value: str, limit: int = INLINE_LIMIT) -> str:
    """One line of markdown that shows the value as text, in prose or in a table cell."""
    escaped = plain(value, limit).translate(_ESCAPES)
    escaped = _OUTER_UNDERSCORE.sub(r"\\_", escaped)
    start = _BLOCK_START.match(escaped)
    if start is None:
        return escaped
    found = start.group()
    if found.isdigit():  # "1." would start a list
        return f"{found}\\{escaped[len(found) :]}"
    return f"\\{escaped}"


def code(value: str, limit: int = INLINE_LIMIT) -> str:
    """The value as a code span; as plain text where a span could not hold it safely."""
    line = plain(value, limit)
    if not line or any(c in line for c in "`|\\"):
        return inline(value, limit)
    return f"`{line}`"


def block(value: str, limit: int = BLOCK_LIMIT) -> str:
    """The end of a text as a fenced code block, its own fence longer than any inside."""
    text = lines(value, limit).strip("\n")
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _cut_raw(value: str, limit: int) -> str:
    """Bound the work on a megabyte before cleaning it; cleaning only shortens."""
    return value[: 16 * limit]


def _clean(value: str, keep_newlines: bool) -> str:
    return "".join(_safe(char, keep_newlines) for char in _ANSI.sub("", value))


def _safe(char: str, keep_newlines: bool) -> str:
    if char == "\n" and keep_newlines:
        return char
    category = unicodedata.category(char)
    if char in "\n\r\t\v\f" or category in {"Zl", "Zp"}:
        return " "
    if category in {"Cc", "Cf"}:  # control; bidi marks, zero width, tags
        return ""
    if category in {"Cs", "Co"}:  # lone surrogates cannot even be encoded
        return "\N{REPLACEMENT CHARACTER}"
    return char
