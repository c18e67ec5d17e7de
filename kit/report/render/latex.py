"""LaTeX of a document: a complete file in ASCII that needs standard packages only.

Every string passes ``escape``: afterwards no character of it is special to TeX, is part of a
ligature, or lacks a glyph in any TeX engine.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping

from kit.report.document import (
    CELL_LIMIT,
    PROSE_LIMIT,
    Code,
    Command,
    Either,
    Heading,
    Link,
    List,
    Paragraph,
    Prose,
    Strong,
    Text,
    parts,
)
from kit.report.text import part, plain

_HEAD = r"""\documentclass[10pt]{article}
\usepackage[margin=25mm]{geometry}
\usepackage{textcomp}
\setlength{\emergencystretch}{10em}
\begin{document}"""
# TeX does not hyphenate digests or addresses: words longer than _LONG break every _PIECE letters.
_LONG, _PIECE = 40, 16
_LEVELS = {1: "section", 2: "section", 3: "subsection"}
_SPECIAL: Mapping[str, str] = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}",
    '"': r"{\char34}",
    "[": "{[}",  # would start an optional argument of a command before it
    "]": "{]}",
    "-": "-{}",  # two would be a dash, and change an option's name
    "\N{EN DASH}": "--",
    "\N{EM DASH}": "---",
    "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}",
    "\N{LEFT SINGLE QUOTATION MARK}": "`",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": "``",
    "\N{RIGHT DOUBLE QUOTATION MARK}": "''",
    "\N{MULTIPLICATION SIGN}": r"\ensuremath{\times}",
    "\N{PLUS-MINUS SIGN}": r"\ensuremath{\pm}",
    "\N{LATIN SMALL LETTER SHARP S}": r"{\ss}",
}
_ACCENTS: Mapping[str, str] = {
    "\N{COMBINING GRAVE ACCENT}": "`",
    "\N{COMBINING ACUTE ACCENT}": "'",
    "\N{COMBINING CIRCUMFLEX ACCENT}": "^",
    "\N{COMBINING TILDE}": "~",
    "\N{COMBINING DIAERESIS}": '"',
    "\N{COMBINING RING ABOVE}": "r",
    "\N{COMBINING CEDILLA}": "c",
    "\N{COMBINING CARON}": "v",
}


def render(blocks: Iterable[Prose]) -> str:
    """Return a complete LaTeX file for the document; the same blocks give the same bytes."""
    return "\n\n".join([_HEAD, *map(_block, blocks), r"\end{document}"]) + "\n"


def escape(value: str) -> str:
    """Return LaTeX that shows the clean text ``value``, with allowed breaks in long words."""
    return " ".join(map(_word, value.split(" ")))


def _block(block: Prose) -> str:
    match block:
        case Heading(level, text):
            return f"\\{_LEVELS[level]}*{{{escape(plain(text, CELL_LIMIT))}}}"
        case Paragraph(text):
            return _text(text)
        case Command(text):
            command = escape(plain(text, PROSE_LIMIT))
            return f"\\begin{{quote}}\\ttfamily\\raggedright\n{command}\n\\end{{quote}}"
        case List(items):
            rows = [rf"\item {_text(item)}" for item in items]
            return "\n".join([r"\begin{itemize}", *rows, r"\end{itemize}"])


def _text(text: Text) -> str:
    return "".join(map(_inline, parts(text))).strip()


def _inline(inline: Text) -> str:
    match inline:
        case str():
            return escape(part(inline, PROSE_LIMIT))
        case Strong(text):
            return rf"\textbf{{{escape(plain(text, PROSE_LIMIT))}}}"
        case Either(text):
            return escape(plain(text, PROSE_LIMIT))
        case Code(text):
            return rf"\texttt{{{escape(plain(text, PROSE_LIMIT))}}}"
        case Link(text, path):
            return escape(f"{plain(text, PROSE_LIMIT)} ({path})")
    raise AssertionError(inline)


def _word(word: str) -> str:
    step = _PIECE if len(word) > _LONG else _LONG
    pieces = (word[at : at + step] for at in range(0, len(word), step))
    return r"\allowbreak{}".join("".join(map(_escaped, piece)) for piece in pieces)


def _escaped(char: str) -> str:
    if char in _SPECIAL:
        return _SPECIAL[char]
    if char.isascii():
        return char
    base, *marks = list(unicodedata.normalize("NFD", char))
    if base.isascii() and base.isalpha() and len(marks) == 1 and marks[0] in _ACCENTS:
        # A space ends the names of the accents that are letters.
        return f"{{\\{_ACCENTS[marks[0]]} {base}}}"
    return f"{{[}}U+{ord(char):04X}{{]}}"
