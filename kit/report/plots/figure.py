"""A matplotlib figure that a notebook displays, whether or not it uses pyplot."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

_DPI = 110


class ShownFigure(Figure):
    """A figure outside of pyplot, which notebooks show only with a method of that name."""

    def _repr_png_(self) -> bytes:
        content = io.BytesIO()
        self.savefig(content, format="png", dpi=_DPI)
        return content.getvalue()
