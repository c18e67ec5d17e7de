"""Comparison of files made here with those of a folder, numbers compared as numbers.

Other versions of Python, NumPy, SciPy and the C library round the last digits of a result
differently, so the bytes derived from a log elsewhere rarely equal those of an honest folder.

- JSON: everything outside numbers is equal byte for byte, and so is every integer. A number
  with a point or an exponent may differ by ``RELATIVE``, or by ``ABSOLUTE`` if it is the
  difference of two larger ones that cancel.
- Text, and strings of JSON: equal byte for byte. A printed decimal may differ only if a number
  in the folder's JSON files rounds to the one there and to the other here.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Files = Mapping[str, bytes]

RELATIVE = 1e-9
"""Seen from Python 3.10 to 3.13, NumPy 1.26 to 2.5 and SciPy 1.15 to 1.18: 7e-15."""
ABSOLUTE = 1e-12
"""In the unit of the number; the largest that cancel are percents of about 100."""
_DECIMALS = range(1, 5)
"""Numbers of digits that reports print after a point."""
_SCALES = (1, 100)
"""Factors for printing a number; reports print shares as percent too."""

_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_NUMBER = rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_JSON = re.compile(b"(" + _STRING + b"|" + _NUMBER + b")", re.DOTALL)
_DECIMAL = re.compile(rb"(?<![\w.])([-+]?\d+\.\d+(?:e[-+]\d+)?)(?!\d|\.\d)")
_FRACTION = re.compile(rb"\.(\d+)(e[-+]\d+)?")


@dataclass(frozen=True)
class FileComparison:
    """The names of files that differ (``wrong``), or only in the last digits of numbers.

    The latter are ``rounded``.
    """

    wrong: tuple[str, ...]
    rounded: tuple[str, ...]


@dataclass(frozen=True)
class _Moved:
    """A number that differs between here and the folder, within the tolerance."""

    made: float
    found: float


def compare(made: Files, found: Files) -> FileComparison:
    """Compare the files, by name and content, that are both in ``made`` and in ``found``.

    ``made`` were made here, ``found`` are the folder's. Numbers are compared as numbers.
    """
    differing = [name for name in made if name in found and made[name] != found[name]]
    moved: list[_Moved] = []
    texts: list[tuple[str, bytes, bytes]] = []
    wrong: set[str] = set()
    for name in differing:
        if not name.endswith(".json"):
            texts.append((name, made[name], found[name]))
        elif not _json(made[name], found[name], moved, texts, name):
            wrong.add(name)
    turned = _turned(moved)
    wrong |= {name for name, here, there in texts if not _text(here, there, turned)}
    return FileComparison(
        tuple(name for name in differing if name in wrong),
        tuple(name for name in differing if name not in wrong),
    )


def _json(
    made: bytes,
    found: bytes,
    moved: list[_Moved],
    texts: list[tuple[str, bytes, bytes]],
    name: str,
) -> bool:
    """Return whether two documents agree; add numbers to ``moved``, strings to ``texts``."""
    try:
        json.loads(found)
    except (ValueError, RecursionError):
        return False  # an unterminated string would also make the search below slow
    pairs = _tokens(_JSON, made, found)
    if pairs is None:
        return False
    for token, here, there in pairs:
        strings = [each.startswith(b'"') for each in (here, there)]
        if token and all(strings):
            texts.append((name, here, there))
        elif token and not any(strings) and _is_float(here) and _is_float(there):
            pair = _Moved(float(here), float(there))
            if not math.isclose(pair.made, pair.found, rel_tol=RELATIVE, abs_tol=ABSOLUTE):
                return False
            moved.append(pair)
        else:
            return False
    return True


def _text(made: bytes, found: bytes, turned: frozenset[tuple[float, float, int]]) -> bool:
    pairs = _tokens(_DECIMAL, made, found)
    return pairs is not None and all(
        token
        and _form(here) == _form(there)
        and (float(here), float(there), _decimals(here)) in turned
        for token, here, there in pairs
    )


def _tokens(
    pattern: re.Pattern[bytes], made: bytes, found: bytes
) -> list[tuple[bool, bytes, bytes]] | None:
    """Return the parts that differ, each with whether it is a token; None: other structure."""
    here, there = pattern.split(made), pattern.split(found)
    if len(here) != len(there):
        return None
    parts = enumerate(zip(here, there, strict=True))
    return [(index % 2 == 1, one, other) for index, (one, other) in parts if one != other]


def _is_float(token: bytes) -> bool:
    return any(mark in token for mark in b".eE")


def _form(token: bytes) -> tuple[bool, int]:
    """Return whether a number is printed with a sign, and its decimals."""
    return token[:1] in (b"+", b"-"), _decimals(token)


def _decimals(token: bytes) -> int:
    """Return the number of digits after the point; negative if an exponent follows."""
    found = _FRACTION.search(token)
    assert found is not None
    return -len(found[1]) if found[2] else len(found[1])


def _turned(moved: Iterable[_Moved]) -> frozenset[tuple[float, float, int]]:
    """Return the printed values, here and there, of numbers that round differently.

    Each comes with its decimals, negative for one with an exponent.
    """
    found: set[tuple[float, float, int]] = set()
    for pair in moved:
        for scale in _SCALES:
            here, there = scale * pair.made, scale * pair.found
            forms = [(digits, f".{digits}f") for digits in _DECIMALS] + [(-1, ".1e")]
            for digits, form in forms:
                one, other = float(format(here, form)), float(format(there, form))
                if one != other:
                    # A sentence may give the size without the sign.
                    found |= {(one, other, digits), (abs(one), abs(other), digits)}
    return frozenset(found)
