"""The appendix in LaTeX: a whole document in ASCII, of standard packages alone.

Every string passes ``escape``: afterwards no character of it has a meaning to TeX, nor
makes a ligature, nor lies outside what any TeX engine has a glyph for.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from kit.report.appendix.markdown import LIMIT
from kit.report.appendix.parts import Command, Facts, Section, Text
from kit.report.text import plain

_HEAD = r"""\documentclass[10pt]{article}
\usepackage[margin=25mm]{geometry}
\usepackage{textcomp}
\setlength{\emergencystretch}{10em}
\begin{document}
"""
# TeX hyphenates no digest and no address: letters after which a word may be broken.
_LONG, _PIECE = 40, 16
_LEVELS = {1: "section", 2: "subsection"}
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
    "[": "{[}",  # an optional argument of what stands before it
    "]": "{]}",
    "-": "-{}",  # two of them would be a dash, and an option another one
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


def escape(value: str, limit: int = LIMIT) -> str:
    """One line of LaTeX that shows the value as text, a long word broken where it must be."""
    return " ".join(_word(word) for word in plain(value, limit).split(" "))


def render(title: str, sections: Sequence[Section]) -> str:
    """The whole document."""
    texts = [f"{_HEAD}\n\\section*{{{escape(title, 300)}}}"]
    for section in sections:
        texts.append(f"\\{_LEVELS[section.level]}*{{{escape(section.title, 300)}}}")
        texts += [_part(part) for part in section.parts]
    return "\n\n".join([*texts, r"\end{document}"]) + "\n"


def _part(part: Text | Command | Facts) -> str:
    if isinstance(part, Text):
        return escape(part.text)
    if isinstance(part, Command):
        return f"\\begin{{quote}}\\ttfamily\\raggedright\n{escape(part.text)}\n\\end{{quote}}"
    if not part.rows:
        return "None."
    rows = [
        f"\\item[{{{escape(name, 300)}}}] {escape(value) or 'not known'}"
        for name, value in part.rows
    ]
    return "\n".join([r"\begin{description}", *rows, r"\end{description}"])


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
