"""An axis of effects: gains in percent, or factors on a logarithmic scale; the x axis or the y.

Values beyond the axis are drawn at its edge with an arrow head, and an interval that is not
informative is not drawn; both keep the other numbers readable.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kit.judge.effects import gain_of, gains_of, is_informative, log_of
from kit.judge.sensitivity import EQUIVALENCE_PERCENT
from kit.judge.statistics import Estimate, Interval
from kit.judge.verdict import Verdict
from kit.report.numbers import FACTOR_FROM, MAX_SHOWN, UNDETERMINED, Form
from kit.report.plots.style import FAINT, INK
from kit.report.text import plain
from kit.study.model import Claim, Direction, Range

_FACTORS = (1000.0, 100.0, 20.0, 10.0, 5.0, 3.0, 2.0, 1.5, 1.2, 1.1)
_APART = 0.13
"""Smallest distance between two labels, as a fraction of the axis."""
_MARGIN = 0.06
_BOX = 0.18
"""Half the height of a margin's box, as a fraction of a row's."""


@dataclass(frozen=True)
class EffectAxis:
    """An axis of effects, from ``low`` to ``high``: percent, or log factors.

    It is the x axis, and rows lie above each other; ``upright``, it is the y axis, and they lie
    side by side.
    """

    axes: Any
    form: Form
    low: float
    high: float
    upright: bool = False

    @classmethod
    def over(
        cls,
        axes: Any,
        form: Form,
        gains: Iterable[float],
        estimates: Iterable[Estimate],
        upright: bool = False,
    ) -> EffectAxis:
        """Return the axis of that form that shows these gains (percent), the estimates, and 0.

        ``axes`` are matplotlib's.
        """
        found = [*gains, *(gain for each in estimates for gain in gains_of(each))]
        most = math.log(MAX_SHOWN if form is Form.FACTOR else FACTOR_FROM)
        zone = EQUIVALENCE_PERCENT
        logs = [max(-most, min(most, log_of(gain))) for gain in (*found, -zone, zone)]
        ends = [_place(log, form) for log in (min(logs), max(logs))]
        margin = _MARGIN * (ends[1] - ends[0])
        made = cls(axes, form, ends[0] - margin, ends[1] + margin, upright)
        (axes.set_ylim if upright else axes.set_xlim)(made.low, made.high)
        made.shade(-zone, zone, FAINT, 0.18)
        (axes.axhline if upright else axes.axvline)(0, color=INK, lw=1)
        return made

    def at(self, gain: float) -> float:
        """Return the position on the axis of a gain in percent; of one beyond it, the edge's."""
        return max(self.low, min(self.high, _place(log_of(gain), self.form)))

    def shade(self, low: float, high: float, colour: str, alpha: float) -> None:
        """Shade a range of gains, ``low`` to ``high`` in percent, over all rows."""
        sides = [self.at(low), self.at(high)]
        # Not axvspan: versions of matplotlib begin its outline in different corners.
        effects, rows = [*sides, *sides[::-1]], [0, 0, 1, 1]
        xs, ys = (rows, effects) if self.upright else (effects, rows)
        over = self.axes.get_yaxis_transform() if self.upright else self.axes.get_xaxis_transform()
        self.axes.fill(xs, ys, color=colour, alpha=alpha, lw=0, transform=over)

    def draw(self, effects: Any, rows: Any, *marks: str, **style: Any) -> None:
        """Draw a line or markers through points.

        ``effects`` are positions on this axis (see ``at``), ``rows`` positions on the other one;
        ``marks`` and ``style`` are matplotlib's arguments.
        """
        xs, ys = (rows, effects) if self.upright else (effects, rows)
        self.axes.plot(xs, ys, *marks, **style)

    def bar(self, row: float, bounds: Interval, colour: str, width: float) -> None:
        """Draw an interval of gains in percent at a row; an end off the axis has an arrow head."""
        if not is_informative(bounds):
            return
        ends = [self.at(bounds.low), self.at(bounds.high)]
        self.draw(ends, [row, row], color=colour, lw=width, solid_capstyle="butt")
        heads = "v^" if self.upright else "<>"
        for end, edge, sign in zip(ends, (self.low, self.high), heads, strict=True):
            if end == edge:
                self.draw(end, row, sign, color=colour, ms=5 + width, clip_on=False)

    def margin(self, row: float, band: Range, colour: str) -> None:
        """Draw the margin of a claim of equality, a range of gains in percent, as a hollow box."""
        low, high = self.at(band.low), self.at(band.high)
        least, most = row - _BOX, row + _BOX
        self.axes.plot(
            [low, high, high, low, low], [least, least, most, most, least], color=colour, lw=1.5
        )

    def estimate(self, row: float, found: Estimate, colour: str, marker: str, width: float) -> None:
        """Draw an estimate with its interval, or write in its row that it is not determined."""
        gain, bounds = found.gain_percent, found.gain_interval
        if gain is None:
            return
        if not is_informative(bounds):
            middle = (self.low + self.high) / 2
            self.axes.text(middle, row + 0.24, UNDETERMINED, color=colour, ha="center", va="center")
            return
        if bounds is not None:
            self.bar(row, bounds, colour, width)
        self.draw(self.at(gain), row, marker, color=colour, ms=6.5, clip_on=False)

    def label(self, words: str) -> None:
        """Write these words as the label of the axis, and its ticks if they are factors."""
        (self.axes.set_ylabel if self.upright else self.axes.set_xlabel)(words)
        if self.form is Form.FACTOR:
            logs = _ticks(self.low, self.high)
            place = self.axes.set_yticks if self.upright else self.axes.set_xticks
            place(logs, [_tick(log) for log in logs])


def claimed(claim: Claim) -> tuple[float, ...]:
    """Return a claim's published gain in percent; for a claim of equality, its margin's ends."""
    if claim.direction is Direction.EQUAL:
        return claim.band_percent.low, claim.band_percent.high
    return (claim.published_gain_percent,)


def claim_name(verdict: Verdict, several: bool) -> str:
    """Return the name of a verdict's claim in plots, with its variant if there are several."""
    suffix = f" {verdict.variant}" if several else ""
    return plain(f"{verdict.claim.id} {verdict.claim.statistic}{suffix}", 30)


def _ticks(low: float, high: float) -> list[float]:
    """Return logs of round factors, far enough apart for their labels; 0 is one of them."""
    found = [0.0]
    for size in map(math.log, _FACTORS):
        for log in (-size, size):
            inside = low <= log <= high
            if inside and all(abs(log - other) >= _APART * (high - low) for other in found):
                found.append(log)
    return sorted(found)


def _tick(log: float) -> str:
    return f"{math.exp(abs(log)):g}x{' faster' if log > 0 else ' slower' if log < 0 else ''}"


def _place(log: float, form: Form) -> float:
    return log if form is Form.FACTOR else gain_of(log)
