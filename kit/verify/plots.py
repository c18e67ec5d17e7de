"""Comparison of plots by what they show, in SVG and in PNG."""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import PurePosixPath

from kit.report.files import is_picture, picture_address, without_pictures
from kit.report.plots import renderer_of
from kit.report.plots.paths import ForeignError, Matrix, Outline
from kit.report.plots.pieces import Piece, read
from kit.report.plots.raster import pixels
from kit.report.plots.style import DPI
from kit.results import PAGE
from kit.verify.result import State

Files = Mapping[str, bytes]
_CHANGED = "does not follow from the log"


@dataclass(frozen=True)
class _Compared:
    """The result for one plot's file. ``why`` follows its name in a sentence."""

    state: State
    why: str = ""
    alike: bool = False
    """Whether it has other bytes but shows the same."""


@dataclass(frozen=True)
class Plots:
    """The result of comparing plots: those that are wrong or unverified, one line each.

    ``alike`` names those that show the same with other bytes.
    """

    wrong: tuple[str, ...]
    unverified: tuple[str, ...]
    alike: tuple[str, ...]

    @property
    def note(self) -> str:
        """Return a note on the plots that show the same with other bytes; empty for none."""
        return f"same within {MOVED:g} pt: {', '.join(self.alike)}" if self.alike else ""


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


def compare(made: Files, found: Files) -> Plots:
    """Compare the plots that are in both: SVGs with those made here, each PNG with its SVG.

    ``made`` were made here, ``found`` are the folder's. The version of matplotlib that an SVG
    names never makes it pass. If the pieces differ and the version does too, the plot is
    unverified instead of wrong: that version may draw the same numbers differently.
    """
    plots = [name for name in made if is_picture(name) and name in found]
    checked = {name: _drawing(made[name], found[name]) for name in plots if name.endswith(".svg")}
    for name in plots:
        if name.endswith(".png"):
            drawing = f"{name.removesuffix('.png')}.svg"
            known = checked.get(drawing, _Compared(State.WRONG))
            held = found if known.state is State.OK else made
            checked[name] = _picture(held[drawing], made[name], found[name], known)
    lines = {
        state: tuple(f"{name} {each.why}" for name, each in checked.items() if each.state is state)
        for state in (State.WRONG, State.UNVERIFIED)
    }
    alike = tuple(name for name, each in checked.items() if each.alike)
    return Plots(lines[State.WRONG], lines[State.UNVERIFIED], alike)


def in_page(made: Files, found: Files) -> Iterator[str]:
    """Yield an error for each plot in the page that is not the folder's file of it.

    The page's text is compared elsewhere.
    """
    pictures, wanted = (without_pictures(files[PAGE])[1] for files in (found, made))
    if len(pictures) != len(wanted):
        yield f"{PAGE} does not follow from the log"
        return
    here = {**made, **found}
    plots = [name for name in made if is_picture(name)]
    plot_of = {picture_address(name, made[name]): PurePosixPath(name).stem for name in plots}
    for shown, due in zip(pictures, wanted, strict=True):
        plot = plot_of[due]
        # Drawn differently, a plot may exceed the size up to which the page holds the SVG.
        if shown not in {
            picture_address(name, here[name]) for name in plots if PurePosixPath(name).stem == plot
        }:
            yield f"{PAGE} shows another picture of {plot} than the folder holds"


def distance(made: bytes, found: bytes) -> float:
    """Return the largest distance, in points, between the pieces of two SVG drawings.

    ``APART`` if they show different things: other pieces, order, glyphs, markers, colours, widths
    or clips. Raise ForeignError if ``found`` holds anything that cannot be compared.
    """
    (size, pieces), (other_size, other_pieces) = read(made), read(found)
    most = 0.0 if size == other_size else APART
    for one, other in zip_longest(pieces, other_pieces):
        # To the end: a piece that cannot be compared raises wherever it is.
        most = max(most, APART if one is None or other is None else _apart(one, other))
    return most


def paints(drawing: bytes, picture: bytes) -> bool:
    """Return whether the PNG ``picture`` shows the SVG ``drawing``, as kit paints it.

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


def _drawing(made: bytes, found: bytes) -> _Compared:
    """Compare two SVGs."""
    if made == found:
        return _Compared(State.OK)
    try:
        apart = distance(made, found)
    except ForeignError as error:
        return _Compared(State.WRONG, f"holds what no plot of kit holds: {error}")
    here, there = renderer_of(made), renderer_of(found)
    if apart <= MOVED:
        return _Compared(State.OK, alike=True)
    if apart == APART and there not in ("", here):
        why = f"shows other pieces than matplotlib {here} draws here; it names matplotlib {there}"
        return _Compared(State.UNVERIFIED, why)
    return _Compared(State.WRONG, _CHANGED)


def _picture(drawing: bytes, made: bytes, found: bytes, known: _Compared) -> _Compared:
    """Compare a PNG with its drawing, whose result is ``known``."""
    if made == found or paints(drawing, found):
        return _Compared(State.OK, alike=made != found)
    if known.state is State.UNVERIFIED:
        return _Compared(State.UNVERIFIED, "is not compared, for its SVG is not verified")
    return _Compared(State.WRONG, _CHANGED)


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
