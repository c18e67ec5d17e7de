"""Paths and transforms, parsed from the attributes of an SVG."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import TypeVar

_NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"
_WHOLE_NUMBER = re.compile(_NUMBER, re.ASCII)
_STEPS = {"M": 1, "L": 1, "Q": 2, "C": 3, "z": 0}
_STEP = re.compile(rf"\s*([MLQCz])((?:\s+{_NUMBER})*)(?=\s|\Z)")
_MOVE = re.compile(r"\s*(translate|scale|rotate)\(([^()]*)\)")

_SHORT = 4000
"""Characters of a text up to which its result is kept; a foreign drawing may have long ones."""
_Parsed = TypeVar("_Parsed")
Matrix = tuple[float, float, float, float, float, float]
STILL: Matrix = (1, 0, 0, 1, 0, 0)


class ForeignError(ValueError):
    """An error for an SVG drawing with something that kit does not write or cannot interpret."""


@dataclass(frozen=True)
class Outline:
    """An SVG path: the letters of its commands (M, L, Q, C, z), and its points as x and y."""

    commands: str
    points: tuple[tuple[float, float], ...]


def _kept(parse: Callable[[str], _Parsed]) -> Callable[[str], _Parsed]:
    """Return a parser that keeps the results of short texts: every plot has the same letters."""
    kept = lru_cache(maxsize=256)(parse)

    @wraps(parse)
    def parsed(text: str) -> _Parsed:
        return kept(text) if len(text) <= _SHORT else parse(text)

    return parsed


@_kept
def outline(text: str) -> Outline:
    """Parse the ``d`` attribute of an SVG path, and return its commands and points.

    Raise ForeignError if it has anything but absolute moves, lines and curves (M, L, Q, C), and z.
    """
    commands: list[str] = []
    points: list[tuple[float, float]] = []
    offset, end = 0, len(text.rstrip())
    while offset < end:
        step = _STEP.match(text, offset)
        numbers = [number(each) for each in step[2].split()] if step else []
        if step is None or len(numbers) != 2 * _STEPS[step[1]]:
            raise ForeignError("a path of other steps")
        commands.append(step[1])
        points += zip(numbers[::2], numbers[1::2], strict=True)
        offset = step.end()
    return Outline("".join(commands), tuple(points))


@_kept
def matrix(text: str) -> Matrix:
    """Parse the ``transform`` attribute of an SVG element; return the product of its transforms.

    Raise ForeignError for anything but translate, scale and rotate.
    """
    made, offset, end = STILL, 0, len(text.rstrip())
    while offset < end:
        move = _MOVE.match(text, offset)
        if move is None:
            raise ForeignError(f"a transform {text!r}")
        numbers = [number(each) for each in move[2].split()]
        made = after(made, _move(move[1], numbers))
        offset = move.end()
    return made


def _move(name: str, numbers: list[float]) -> Matrix:
    match name, numbers:
        case "translate", [x, y]:
            return (1, 0, 0, 1, x, y)
        case "scale", [x]:
            return (x, 0, 0, x, 0, 0)
        case "scale", [x, y]:
            return (x, 0, 0, y, 0, 0)
        case "rotate", [degrees]:
            sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
            return (cosine, sine, -sine, cosine, 0, 0)
    raise ForeignError(f"a transform {name} of {len(numbers)} numbers")


def after(outer: Matrix, inner: Matrix) -> Matrix:
    """Return the product of two affine SVG matrices (a to f), which applies ``inner`` first."""
    a, b, c, d, e, f = outer
    p, q, r, s, t, u = inner
    return (
        a * p + c * q, b * p + d * q, a * r + c * s, b * r + d * s,
        a * t + c * u + e, b * t + d * u + f,
    )  # fmt: skip


def number(text: str) -> float:
    """Return the finite number in a text of an SVG attribute. Raise ForeignError for other text."""
    if not _WHOLE_NUMBER.fullmatch(text) or not math.isfinite(found := float(text)):
        raise ForeignError(f"a number {text[:40]!r}")
    return found
