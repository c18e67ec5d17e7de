"""Drawings inside an HTML page: bars of a table, and a chart of runs that one can point at."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from markupsafe import Markup, escape

from kit.report.document import Bar, Chart, Dot
from kit.report.numbers import format_number
from kit.report.text import plain

_BAR_WIDTH, _BAR_HEIGHT = 130, 20
_EDGE = 4
"""Pixels left free on either side."""
_REACH = 2.5
"""An interval may make the scale this many times as long as effects and bands would."""
_SHORTEST = math.log(1.02)
"""The scale shows at least this log ratio, so that no difference is not a wide bar."""
_WIDTH, _HEIGHT = 760, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 10, 10, 40
_KEYS = {
    "dot": '<path class="interval" d="M2 6H22"/><circle class="value" cx="12" cy="6" r="3.5"/>',
    "band": '<rect class="band" x="2" y="1" width="20" height="10"/>',
    "zero": '<path class="zero" d="M12 0V12"/>',
}
_LINES = 4
"""About as many lines as the scale of seconds has."""
SERIES = 6
"""Series of different colour and shape, as the style sheet and the shapes below have them."""
_SHAPES = (
    "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0-4 0",
    "M-3.5-3.5H3.5V3.5H-3.5Z",
    "M0-4.5L4.5 3.5H-4.5Z",
    "M0-5L5 0L0 5L-5 0Z",
    "M-4.5-3.5H4.5L0 4.5Z",
    "M-1.5-4.5H1.5V-1.5H4.5V1.5H1.5V4.5H-1.5V1.5H-4.5V-1.5H-1.5Z",
)


def bars(drawn: Sequence[Bar | None]) -> Iterator[Markup]:
    """Yield an SVG element for each bar, or an empty string for None."""
    scale = _scale([bar for bar in drawn if bar is not None])
    for bar in drawn:
        yield Markup("") if bar is None else _bar(bar, *scale)


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


def _bar(bar: Bar, left: float, right: float) -> Markup:
    def at(log: float) -> str:
        share = (min(max(log, left), right) - left) / (right - left)
        return f"{_EDGE + share * (_BAR_WIDTH - 2 * _EDGE):.1f}"

    low, high = sorted(map(float, map(at, bar.band)))
    middle = _BAR_HEIGHT / 2
    shapes = [
        f'<rect class="band" x="{low:.1f}" y="2" width="{max(high - low, 2):.1f}" height="16"/>',
        f'<path class="zero" d="M{at(0.0)} 0V{_BAR_HEIGHT}"/>',
    ]
    if bar.low is not None and bar.high is not None:
        shapes.append(f'<path class="interval" d="M{at(bar.low)} {middle:g}H{at(bar.high)}"/>')
    if bar.value is not None:
        shapes.append(f'<circle class="value" cx="{at(bar.value)}" cy="{middle:g}" r="3.5"/>')
    return Markup(
        f'<svg class="bar" width="{_BAR_WIDTH}" height="{_BAR_HEIGHT}" '
        f'viewBox="0 0 {_BAR_WIDTH} {_BAR_HEIGHT}" aria-hidden="true">{"".join(shapes)}</svg>'
    )


def chart(block: Chart) -> Markup:
    """Return the chart as an SVG element. Each run has its line as a title, shown when pointed at.

    ``data-series`` of a run is the index of its series, by which a script can hide it.
    """
    seconds = [dot.seconds for dot in block.dots]
    ticks = list(_ticks(min(seconds), max(seconds)))
    low, high = min(ticks[0], *seconds), max(ticks[-1], *seconds)
    last = max(dot.place for dot in block.dots)

    def down(value: float) -> str:
        share = (value - low) / (high - low) if high > low else 0.5
        return f"{_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM):.1f}"

    def across(place: int) -> str:
        return f"{_LEFT + 8 + (place - 1) / max(last - 1, 1) * (_WIDTH - _LEFT - _RIGHT - 16):.1f}"

    digits = max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-6))
    parts = [
        f'<path class="rule" d="M{_LEFT} {down(tick)}H{_WIDTH - _RIGHT}"/>'
        f'<text x="{_LEFT - 8}" y="{down(tick)}" dy=".35em" text-anchor="end">'
        f"{format_number(tick, digits)} s</text>"
        for tick in ticks
    ]
    parts += [
        f'<text x="{_LEFT + 8}" y="{_HEIGHT - 12}">first run</text>',
        f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 12}" text-anchor="end">last run</text>',
    ]
    parts += [_run(dot, across(dot.place), down(dot.seconds)) for dot in block.dots]
    return Markup(
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(plain(block.title))}">{"".join(parts)}</svg>'
    )


def key(name: str) -> Markup:
    """Return a small drawing of a part of a bar for its legend: "dot", "band" or "zero"."""
    return Markup(
        '<svg class="mark bar" viewBox="0 0 24 12" width="24" height="12" aria-hidden="true">'
        f"{_KEYS[name]}</svg>"
    )


def shape(series: int) -> Markup:
    """Return a small drawing of the mark of a series, for a legend."""
    return Markup(
        '<svg class="mark" viewBox="-6 -6 12 12" width="12" height="12" aria-hidden="true">'
        f'<path class="s{series % SERIES}" d="{_SHAPES[series % SERIES]}"/></svg>'
    )


def _run(dot: Dot, across: str, down: str) -> str:
    kind = dot.series % SERIES
    return (
        f'<path class="run s{kind}" data-series="{dot.series}" transform="translate({across} '
        f'{down})" d="{_SHAPES[kind]}"><title>{escape(plain(dot.about))}</title></path>'
    )


def _ticks(low: float, high: float) -> Iterator[float]:
    """Yield round numbers from below ``low`` to above ``high``, at least two."""
    room = max(high - low, abs(high) * 0.01, 1e-9) / _LINES
    unit = 10.0 ** math.floor(math.log10(room))
    step = next(size * unit for size in (1, 2, 5, 10) if size * unit >= room)
    first = math.floor(low / step)
    yield from (
        step * number for number in range(first, max(math.ceil(high / step), first + 1) + 1)
    )
