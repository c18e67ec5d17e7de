"""Deterministic mutations of documents: by structure, and by byte."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Iterator
from typing import Any

DEEP = "a list of lists without end"
"""In a document: where ``written`` puts more levels than a reader can follow."""

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**40, 10**400, -(10**400), 0.5, 1e308, -1e308,
    1e-320, float("nan"), float("inf"), "", " ", "x", "main", "slowed-reference", "-reference",
    "\ud800", "\x00", "\n", "../x", "/etc/passwd", "2026-01-02T03:04:05", "2026-01-02T03:04:05Z",
    "0000-00-00T00:00:00Z", "9999-12-31T23:59:59+99:99", "1/0", "x" * 100_000, [], {}, [[]],
    {"": {}}, [None], {"$ref": "#"}, {"$ref": "http://127.0.0.1:9/x"}, {"type": "nothing"},
    {"pattern": "("}, {"pattern": 3}, "(a+)+$", DEEP,
)  # fmt: skip
KINDS = ("type", "schema")
"""Fields that say what a document is: ``alike`` leaves them, or nothing else would be read."""
INTEGERS = (0, 1, 10**9, 10**14, 2**62, 2**63, 10**320, 10**320, -1)
NUMBERS = (*INTEGERS, 1e-320, 0.5, 1e14, 1e308, -1e308)
TIMES = (
    "", "2026-01-02T03:04:05", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.123456789-11:30",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-02-30T00:00:00Z",
    "2026-01-02 03:04:05", "2026-01-02T03:04:05+99:99",
)  # fmt: skip
WORDS = (
    "duet", "auto", "alternating", "pilot", "slowed", "placebo-reference", "explain", "identity",
    "timed", "0-1", "python-cuda", "mean", "total", "object", "number", "",
)  # fmt: skip
BYTES = (
    b"\x00", b"\xff", b"\xed\xa0\x80", b"[" * 5000, b"{" * 5000, b'{"a":' * 5000, b"&a [*a]",
    b"<<: ", b"!!python/object/apply:os.system ", b"!!binary ", b"- ", b": ", b"\n", b'"',
    b"9" * 500,
    b"\\ud800", b"NaN", b"1e999", b"*x", b"? ", b"---\n", b"%YAML 9.9\n",
    b"\r", b"\t", b"\xef\xbb\xbf",
)  # fmt: skip


def held(value: Any) -> list[tuple[Any, Any]]:
    """Return what a JSON value holds, each with its key or its index."""
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value in a document of JSON values."""
    found = [path]
    for key, item in held(document):
        found += places(item, (*path, key))
    return found


def descents(document: Any, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    """Yield paths of plain values, each by the way from the top: long lists hide no field."""
    while True:
        path: tuple[Any, ...] = ()
        value = document
        while pairs := held(value):
            key, value = chance.choice(pairs)
            path = (*path, key)
        yield path


def alike(document: Any, chance: random.Random) -> Any:
    """Return a copy in which one to eight plain values are odd ones of their own type.

    What reads by type alone takes these, and all that is behind it meets them.
    """
    made = copy.deepcopy(document)
    for path, _ in zip(descents(document, chance), range(chance.randint(1, 8)), strict=False):
        parent = made
        for key in path[:-1]:
            parent = parent[key]
        if path and path[-1] not in KINDS and not held(parent[path[-1]]):
            parent[path[-1]] = _alike(parent[path[-1]], chance)
    return made


def _alike(value: Any, chance: random.Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return chance.choice(INTEGERS)
    if isinstance(value, float):
        return chance.choice(NUMBERS)
    if isinstance(value, str):
        return chance.choice(TIMES if re.match(r"\d{4}-", value) else WORDS)
    return value if value is not None else chance.choice((None, None, None, 0, 10**320, 1e14, ""))


def by_structure(document: Any, chance: random.Random) -> Any:
    """Return a copy in which one to three values are changed, removed, doubled or swapped."""
    made = copy.deepcopy(document)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        found = [path for path in places(made) if path]
        if not found:
            break
        path = chance.choice(found)
        parent = made
        for key in path[:-1]:
            parent = parent[key]
        last, act = path[-1], chance.randrange(6)
        if act == 0:
            del parent[last]
        elif act == 1 and isinstance(parent, list):
            parent.insert(last, copy.deepcopy(parent[last]))
        elif act == 2 and isinstance(parent, dict):
            parent[str(chance.choice(ODD))[:50]] = parent.pop(last)
        elif act == 3:
            other = made
            for key in chance.choice(found):
                if not isinstance(other, (dict, list)):
                    break
                try:
                    other = other[key]
                except (KeyError, IndexError):
                    break
            parent[last] = copy.deepcopy(other)
        elif act == 4 and isinstance(parent[last], (int, float)):
            parent[last] = parent[last] * chance.choice((-1, 0, 2, 1000, 10**12))
        else:
            parent[last] = copy.deepcopy(chance.choice(ODD))
    return made


def by_byte(content: bytes, chance: random.Random) -> bytes:
    """Return the bytes with one to four places flipped, cut, doubled or filled."""
    made = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(made) + 1)
        end = min(len(made), start + chance.choice((1, 1, 2, 8, 64, 512)))
        act = chance.randrange(5)
        if act == 0:
            del made[start:end]
        elif act == 1:
            made[start:start] = made[start:end]
        elif act == 2:
            made[start:start] = chance.choice(BYTES)
        elif act == 3 and start < len(made):
            made[start] ^= 1 << chance.randrange(8)
        else:
            made = made[: max(start, 1)] if chance.randrange(4) == 0 else made
    return bytes(made)


def written(document: Any) -> bytes:
    """Return the document as JSON, which is YAML too and holds what PyYAML would not write."""
    return json.dumps(document).replace(f'"{DEEP}"', "[" * 5000 + "]" * 5000).encode()
