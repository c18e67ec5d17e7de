"""Comparison of two drawings (SVG), and of a PNG with a drawing.

The first compares pieces: `kit.report.plots.pieces` rejects everything unknown, so nothing
visible is left out. The second paints the drawing's pieces here, without a font library or a
layout, so the pixels are the same with every version of matplotlib.
"""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Iterator
from itertools import zip_longest

from kit.report.plots.paths import Matrix, Outline
from kit.report.plots.pieces import Piece, read
from kit.report.plots.raster import pixels
from kit.report.plots.style import DPI

MOVED = 1.0
"""Points by which the position of a piece may differ.

Seen from matplotlib 3.8 to 3.11: 0.64, all of it down, because heights of text move the axes.
A plot is 518 points wide.
"""
GLYPH = 0.02
"""Points by which the outline of a glyph or a marker may differ, from its origin. Seen: 0."""
SHADE = 8
"""Difference of a colour of a pixel, of 255, that is allowed everywhere."""
STRAY, STRAYS = 64, 1 / 10_000
"""The larger difference that is allowed for a fraction of all pixels, and that fraction.

If a line has thousands of corners, matplotlib 3.8 and 3.11 paint 10 of 400,000 pixels differently,
by up to 41; in other plots none. Another digit or colour changes pixels by more.
"""
APART = math.inf
"""The distance of drawings that do not consist of the same pieces."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEAD, _SCALE, _DATA, _END = b"IHDR", b"pHYs", b"IDAT", b"IEND"
_PER_METRE = round(DPI / 0.0254).to_bytes(4, "big")
_RGB_OF_8_BITS = b"\x08\x02\0\0\0"


def distance(made: bytes, found: bytes) -> float:
    """Return the largest distance, in points, between pieces of one drawing and the other's.

    ``APART`` if they show different things: other pieces, order, glyphs, markers, colours,
    widths or clips. Raise ForeignError if ``found`` holds anything that cannot be compared.
    """
    (size, pieces), (other_size, other_pieces) = read(made), read(found)
    most = 0.0 if size == other_size else APART
    for one, other in zip_longest(pieces, other_pieces):
        # To the end: a piece that cannot be compared raises wherever it is.
        most = max(most, APART if one is None or other is None else _apart(one, other))
    return most


def _apart(one: Piece, other: Piece) -> float:
    kinds = [(p.placed, p.outline.commands, p.styles, len(p.clips)) for p in (one, other)]
    if kinds[0] != kinds[1]:
        return APART
    if not one.placed:
        moved = _farthest(one.outline, one.at, other.outline, other.at)
    elif _farthest(one.outline, _unmoved(one.at), other.outline, _unmoved(other.at)) > GLYPH:
        return APART
    else:
        moved = math.dist(one.at[4:], other.at[4:])
    clips = zip(one.clips, other.clips, strict=True)
    return max([moved, *(abs(a - b) for pair in clips for a, b in zip(*pair, strict=True))])


def _unmoved(at: Matrix) -> Matrix:
    return (*at[:4], 0, 0)


def _farthest(one: Outline, at: Matrix, other: Outline, there: Matrix) -> float:
    pairs = zip(_shown(one, at), _shown(other, there), strict=True)
    return max((math.dist(a, b) for a, b in pairs), default=0.0)


def _shown(outline: Outline, by: Matrix) -> Iterator[tuple[float, float]]:
    a, b, c, d, e, f = by
    return ((a * x + c * y + e, b * x + d * y + f) for x, y in outline.points)


def paints(drawing: bytes, picture: bytes) -> bool:
    """Return whether the PNG shows the drawing, as kit paints it.

    Raise ForeignError for a drawing with anything unknown.
    """
    import numpy as np

    due = pixels(drawing, DPI)
    height, width, colours = due.shape
    found = _decoded(picture, width, height)
    if found is None:
        return False
    there = np.frombuffer(found, np.uint8).reshape(height, width, colours)
    off = np.abs(due.astype(int) - there).max(axis=2)
    return bool(off.max() <= STRAY and (off > SHADE).mean() <= STRAYS)


def _decoded(picture: bytes, width: int, height: int) -> bytes | None:
    """Return the pixels of a PNG of that size; None if it is not one as kit writes it.

    Any other chunk may change the picture (a palette, a gamma, an animation), and so may bytes
    after the last one.
    """
    from PIL import Image

    sides = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    chunks = list(_chunks(picture))
    start = [(_HEAD, sides + _RGB_OF_8_BITS), (_SCALE, _PER_METRE * 2 + b"\x01")]
    rest = [kind for kind, _ in chunks[2:]]
    if chunks[:2] != start or rest != [*[_DATA] * (len(rest) - 1), _END]:
        return None
    try:
        with Image.open(io.BytesIO(picture), formats=["PNG"]) as image:
            return bytes(image.tobytes())
    except (OSError, SyntaxError, ValueError, zlib.error):
        return None


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and content of each chunk, both empty for an invalid one."""
    offset = len(_SIGNATURE)
    if not picture.startswith(_SIGNATURE):
        yield b"", b""
    while offset < len(picture):
        length = int.from_bytes(picture[offset : offset + 4], "big")
        kind, end = picture[offset + 4 : offset + 8], offset + 8 + length
        content, total = picture[offset + 8 : end], picture[end : end + 4]
        intact = zlib.crc32(kind + content).to_bytes(4, "big") == total
        yield (kind, content) if intact else (b"", b"")
        offset = end + 4
