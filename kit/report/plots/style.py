"""The style of plots: legible on light and dark, without colour, and the same bytes each time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kit.plan.roles import MAIN, PILOT, PLACEBO, SLOWED
from kit.report.plots import Plot
from kit.report.plots.raster import png

WIDTH_IN, DPI = 7.2, 144
# Okabe and Ito's colours, distinguishable with every common kind of colour blindness
# ("Color Universal Design", 2008); arms differ by marker as well.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MARKERS = ("o", "s", "^", "D", "v", "P")
# Every plot has a background, so that it looks the same on a dark page.
PAPER, INK, FAINT = "#ffffff", "#1a1a1a", "#8a8a8a"

_STYLE: dict[str, Any] = {
    "axes.edgecolor": FAINT,
    "axes.facecolor": PAPER,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": "medium",
    "figure.facecolor": PAPER,
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 9.5,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "savefig.facecolor": PAPER,
    "path.simplify": False,  # how many points it leaves depends on the last digits of all
    "svg.fonttype": "path",
    "svg.hashsalt": "kit",  # else element ids differ from run to run
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign in a name is not mathematics
    "xtick.color": INK,
    "ytick.color": INK,
}


def marks(arm: int, role: str) -> dict[str, Any]:
    """Return matplotlib's colour and marker arguments for the series of an arm and a role.

    ``arm`` is the number of the arm in its plot, from 0. Controls have hollow or other markers.
    """
    colour, own = COLOURS[arm % len(COLOURS)], MARKERS[arm % len(MARKERS)]
    if role == MAIN:
        return {"color": colour, "marker": own}
    sign = {PLACEBO: own, SLOWED: "x", PILOT: "+"}.get(role, "*")
    return {"color": colour, "marker": sign, "mfc": "none", "mew": 1.2}


@contextmanager
def styled() -> Iterator[None]:
    """Apply the style of kit's plots inside the context, without the user's matplotlib settings."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        # The type of its keys differs between matplotlib's versions.
        settings: Any = mpl.rcParams
        settings.update(_STYLE)
        yield


def figure(height_in: float) -> tuple[Any, Any]:
    """Return an empty matplotlib figure of that height in inches, and its axes.

    It has no window and is not part of matplotlib's global state.
    """
    drawn, (axes,) = panels(height_in, 1)
    return drawn, axes


def panels(height_in: float, number: int) -> tuple[Any, tuple[Any, ...]]:
    """Return an empty matplotlib figure of that height in inches, and its axes.

    ``number`` axes lie one above the other.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from kit.report.plots.figure import ShownFigure

    drawn = ShownFigure(figsize=(WIDTH_IN, height_in), layout="constrained")
    FigureCanvasAgg(drawn)
    return drawn, tuple(drawn.subplots(number, squeeze=False)[:, 0])


def rendered(drawn: Any) -> tuple[bytes, bytes]:
    """Return a matplotlib figure as an SVG and as a PNG painted from it, in that order.

    Neither has a date; the SVG names the version of matplotlib.
    """
    from matplotlib.text import Text

    for text in drawn.findobj(Text):
        if hasattr(text, "set_fontfeatures"):
            text.set_fontfeatures(("-liga",))  # from 3.11 on, one glyph would be drawn for "fi"
    content = io.BytesIO()
    drawn.savefig(content, format="svg", metadata={"Date": None})
    svg = content.getvalue()
    return svg, png(svg, DPI)


def plot_of(name: str, title: str, words: str, drawn: Any) -> Plot:
    """Return a matplotlib figure as a plot; ``name`` is that of its files, without their ending.

    ``title`` and ``words`` together are its description.
    """
    svg, picture = rendered(drawn)
    return Plot(
        name=name, title=title, alt=f"{title}. {words}.", svg=svg, png=picture, figure=drawn
    )
