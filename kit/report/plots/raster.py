"""Pixels of a drawing, painted from its pieces.

matplotlib's PNG of a figure depends on its version and on its build: it hints letters and
computes the layout again. Painted from the SVG, the pixels depend on the SVG only, so
that `kit verify` can compare a PNG with the SVG next to it.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from kit.report.plots.pieces import Piece, read

_PER_INCH = 72
_INHERITED = {"fill": "#000000", "stroke": "none", "stroke-width": "1"}


def png(svg: bytes, dpi: int) -> bytes:
    """Return an SVG drawing as a PNG of that resolution.

    ``dpi`` is in dots per inch. Raise ForeignError if the drawing has anything that kit does not
    draw.
    """
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(pixels(svg, dpi)).save(content, "png", dpi=(dpi, dpi))
    return content.getvalue()


def pixels(svg: bytes, dpi: int) -> Any:
    """Return an SVG drawing, painted on white at ``dpi`` dots per inch.

    The result is an array of height, width and three bytes of colour. Raise ForeignError if the
    drawing has anything that kit does not draw.
    """
    import numpy as np
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.transforms import Affine2D

    size, shown = read(svg)
    width, height = (float(side.removesuffix("pt")) for side in size[:2])
    scale = dpi / _PER_INCH
    # matplotlib's backends have no types.
    new_painter: Any = RendererAgg
    painter = new_painter(int(width * scale), int(height * scale), dpi)
    # Down in SVG, up in matplotlib.
    onto = Affine2D().scale(scale, -scale).translate(0, painter.height)
    _paint(painter, shown, onto)
    painted = np.asarray(painter.buffer_rgba()).astype(np.uint16)
    colour, cover = painted[..., :3], painted[..., 3:]
    return ((colour * cover + 255 * (255 - cover) + 127) // 255).astype(np.uint8)


def _paint(painter: Any, shown: Iterable[Piece], onto: Any) -> None:
    from matplotlib.colors import to_rgba
    from matplotlib.path import Path
    from matplotlib.transforms import Affine2D, Bbox, TransformedBbox

    codes = {
        "M": [Path.MOVETO], "L": [Path.LINETO], "Q": [Path.CURVE3] * 2, "C": [Path.CURVE4] * 3,
        "z": [Path.CLOSEPOLY],
    }  # fmt: skip
    for piece in shown:
        if not piece.outline.points:
            continue  # a space
        points = iter(piece.outline.points)
        steps = [code for command in piece.outline.commands for code in codes[command]]
        corners = [(0.0, 0.0) if step == Path.CLOSEPOLY else next(points) for step in steps]
        style, opaque = _merged(piece)
        pen = painter.new_gc()
        stroke, face = style["stroke"], None
        if stroke == "none":
            pen.set_linewidth(0)
            pen.set_snap(False)  # letters, whose stems would be moved one by one
        else:
            pen.set_foreground(
                to_rgba(stroke, opaque * float(style.get("stroke-opacity", "1"))), isRGBA=True
            )
            pen.set_linewidth(float(style["stroke-width"]))
            pen.set_capstyle(_CAPS[style.get("stroke-linecap", "butt")])
            pen.set_joinstyle(style.get("stroke-linejoin", "round"))
        if style["fill"] != "none":
            face = to_rgba(style["fill"], opaque * float(style.get("fill-opacity", "1")))
        if "stroke-dasharray" in style:
            dashes = [float(each) for each in style["stroke-dasharray"].split(",")]
            pen.set_dashes(float(style.get("stroke-dashoffset", "0")), dashes)
        for x, y, width, height in piece.clips[-1:]:
            pen.set_clip_rectangle(TransformedBbox(Bbox.from_bounds(x, y, width, height), onto))
        placed = Affine2D.from_values(*piece.at) + onto
        painter.draw_path(pen, Path(corners, steps), placed, face)
        pen.restore()


_CAPS = {"butt": "butt", "round": "round", "square": "projecting"}


def _merged(piece: Piece) -> tuple[dict[str, str], float]:
    """Return the merged style of a piece, and its opacity."""
    style, opaque = dict(_INHERITED), 1.0
    for each in map(dict, piece.styles):
        opaque *= float(each.pop("opacity", "1"))
        style |= each
    return style, opaque
