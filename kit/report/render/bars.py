"""Bars of a table as small drawings inside an HTML page: interval, band and zero on one scale."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from kit.report.document import Bar

_WIDTH, _HEIGHT = 130, 20
_EDGE = 4
"""Pixels left free on either side."""
_REACH = 2.5
"""An interval may make the scale this many times as long as effects and bands would."""
_SHORTEST = math.log(1.02)
"""The scale shows at least this log ratio, so that no difference is not a wide bar."""


def drawings(bars: Sequence[Bar | None]) -> Iterator[Markup]:
    """Yield an SVG element for each bar, or an empty string for None."""
    scale = _scale([bar for bar in bars if bar is not None])
    for bar in bars:
        yield Markup("") if bar is None else _drawing(bar, *scale)


def _scale(bars: Sequence[Bar]) -> tuple[float, float]:
    """Return the log ratios at the left and the right edge. Zero is always between them."""
    sizes = [abs(end) for bar in bars for end in (*bar.band, bar.value) if end is not None]
    reach = _REACH * max(sizes, default=0.0)
    ends = [
        max(-reach, min(reach, end))
        for bar in bars
        for end in (*bar.band, bar.value, bar.low, bar.high)
        if end is not None
    ]
    return min((-_SHORTEST, *ends)), max((_SHORTEST, *ends))


def _drawing(bar: Bar, left: float, right: float) -> Markup:
    def at(log: float) -> str:
        share = (min(max(log, left), right) - left) / (right - left)
        return f"{_EDGE + share * (_WIDTH - 2 * _EDGE):.1f}"

    low, high = sorted(map(float, map(at, bar.band)))
    middle = _HEIGHT / 2
    shapes = [
        f'<rect class="band" x="{low:.1f}" y="2" width="{max(high - low, 2):.1f}" height="16"/>',
        f'<path class="zero" d="M{at(0.0)} 0V{_HEIGHT}"/>',
    ]
    if bar.low is not None and bar.high is not None:
        shapes.append(f'<path class="interval" d="M{at(bar.low)} {middle:g}H{at(bar.high)}"/>')
    if bar.value is not None:
        shapes.append(f'<circle class="value" cx="{at(bar.value)}" cy="{middle:g}" r="3.5"/>')
    return Markup(
        f'<svg class="bar" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true">{"".join(shapes)}</svg>'
    )
