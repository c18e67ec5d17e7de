"""Text from containers, engines and hosts, without characters that control its display.

A version, an error or a log tail is data: it must not contain an escape sequence or reorder
the line around it.
"""

from __future__ import annotations

import re
import unicodedata

_ANSI = re.compile(
    r"\x1b\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)"  # operating system command
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # control sequence
    r"|\x1b[ -/]*[0-~]"  # any other escape
)


def cleaned(value: str, keep_newlines: bool) -> str:
    """Return the text without ANSI sequences and control, format and bidi characters.

    Line separators and tabs become spaces, surrogates and private-use characters become
    replacement characters. ``keep_newlines`` keeps newlines.
    """
    text = _ANSI.sub("", value)
    if text.isprintable():
        return text  # nothing that _safe changes is printable
    return "".join(_safe(char, keep_newlines) for char in text)


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
