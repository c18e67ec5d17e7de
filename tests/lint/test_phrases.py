"""Texts do without phrases for which there is a plainer word.

Texts are the strings and docstrings of kit, its documents, and every file of the images and of
the studies that ship with kit.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PHRASES = re.compile(
    r"\b(?:can(?:not|'t| not)?|could(?: not)?|to) be had\b"
    r"|(?<!there )\b(?:is|are|was|were) no(?! longer| more|t)\b"
    r"|\b(?:is|are|was|were) none of\b"
    r"|\bof (?:its|their) own\b"
    r"|\btold (?:apart )?from\b"
    r"|\bgives? nothing\b"
    r"|\bwhat of\b"
    r"|\bsaid to be\b"
    r"|\b(?:anew|wherein|thereof|(?<!/)beside)\b",
    re.IGNORECASE,
)


def files() -> Iterator[Path]:
    """Every file with texts for readers."""
    yield ROOT / "README.md"
    yield from sorted((ROOT / "docs").glob("*.md"))
    yield from sorted((ROOT / "kit").rglob("*.py"))
    for folder in ("images", "kit/study/template", "kit/study/lee-moon-2022"):
        yield from sorted(
            path
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        )


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a file with their lines: strings of Python, all of another file.

    Line breaks are spaces, so that a phrase may go over one.
    """
    content = path.read_text()
    if path.suffix != ".py":
        yield 1, " ".join(content.split())
        return
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, " ".join(node.value.split())


def found(path: Path) -> list[str]:
    """Every phrase of a file, with its line if it is Python, and the words around it."""
    name = path.relative_to(ROOT)
    return [
        f"{name}:{line}: ...{text[max(0, match.start() - 30) : match.end() + 30]}..."
        for line, text in texts(path)
        for match in PHRASES.finditer(text)
    ]


def test_texts_do_without_phrases_that_have_a_plainer_word() -> None:
    checked = list(files())
    assert len(checked) > 100
    assert [each for path in checked for each in found(path)] == []


@pytest.mark.parametrize(
    "phrase",
    [
        "an image could not be had",
        "it cannot\n be had",
        "x is no rule",
        "a folder of its own",
        "told from none",
        "it gives nothing",
        "made anew",
        "a file beside it",
    ],
)
def test_a_phrase_is_found(phrase: str) -> None:
    assert PHRASES.search(" ".join(phrase.split()))


@pytest.mark.parametrize("phrase", ["there is no GPU", "it is not one", "is no longer", "/beside"])
def test_plain_words_are_not_found(phrase: str) -> None:
    assert not PHRASES.search(phrase)
