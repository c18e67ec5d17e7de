"""An axis of effects: gains in percent, or factors on a logarithmic scale.

Values beyond the axis are drawn at its edge with an arrow head, and an interval that is not
informative is not drawn; both keep the other numbers readable.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kit.judge.effects import gain_of, gains_of, is_determined, log_of
from kit.judge.sensitivity import EQUIVALENCE_PERCENT
from kit.judge.statistics import Estimate, Interval
from kit.report.numbers import FACTOR_FROM, MAX_SHOWN, UNDETERMINED, Form
from kit.report.plots.style import FAINT, INK
from kit.study.model import Range

_FACTORS = (1000.0, 100.0, 20.0, 10.0, 5.0, 3.0, 2.0, 1.5, 1.2, 1.1)
_APART = 0.13
"""Smallest distance between two labels, as a fraction of the axis."""
_MARGIN = 0.06
_BOX = 0.18
"""Half the height of a margin's box, as a fraction of a row's."""


@dataclass(frozen=True)
class EffectAxis:
    """The x axis of a plot of effects, from ``low`` to ``high``: percent, or log factors."""

    axes: Any
    form: Form
    low: float
    high: float

    @classmethod
    def over(
        cls, axes: Any, form: Form, gains: Iterable[float], estimates: Iterable[Estimate]
    ) -> EffectAxis:
        """Return the axis that shows these gains (percent), the estimates, and 0."""
        found = [*gains, *(gain for each in estimates for gain in gains_of(each))]
        most = math.log(MAX_SHOWN if form is Form.FACTOR else FACTOR_FROM)
        zone = EQUIVALENCE_PERCENT
        logs = [max(-most, min(most, log_of(gain))) for gain in (*found, -zone, zone)]
        ends = [_place(log, form) for log in (min(logs), max(logs))]
        margin = _MARGIN * (ends[1] - ends[0])
        made = cls(axes, form, ends[0] - margin, ends[1] + margin)
        axes.set_xlim(made.low, made.high)
        sides = [made.at(-zone), made.at(zone)]
        # Not axvspan: versions of matplotlib begin its outline in different corners.
        axes.fill(
            [*sides, *sides[::-1]],
            [0, 0, 1, 1],
            color=FAINT,
            alpha=0.18,
            lw=0,
            transform=axes.get_xaxis_transform(),
        )
        axes.axvline(0, color=INK, lw=1)
        return made

    def at(self, gain: float) -> float:
        """Return the position of a gain in percent; beyond the axis, the axis' edge."""
        return max(self.low, min(self.high, _place(log_of(gain), self.form)))

    def bar(self, row: float, bounds: Interval, colour: str, width: float) -> None:
        """Draw an interval of gains, with an arrow head at each end beyond the axis."""
        if not is_determined(bounds):
            return
        ends = [self.at(bounds.low), self.at(bounds.high)]
        self.axes.plot(ends, [row, row], color=colour, lw=width, solid_capstyle="butt")
        for end, edge, sign in ((ends[0], self.low, "<"), (ends[1], self.high, ">")):
            if end == edge:
                self.axes.plot(end, row, sign, color=colour, ms=5 + width, clip_on=False)

    def margin(self, row: float, band: Range, colour: str) -> None:
        """Draw the margin of a claim of equality as a hollow box."""
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
        if not is_determined(bounds):
            middle = (self.low + self.high) / 2
            self.axes.text(middle, row + 0.24, UNDETERMINED, color=colour, ha="center", va="center")
            return
        if bounds is not None:
            self.bar(row, bounds, colour, width)
        self.axes.plot(self.at(gain), row, marker, color=colour, ms=6.5, clip_on=False)

    def label(self, words: str) -> None:
        """Write the label of the axis, and its ticks if they are factors."""
        self.axes.set_xlabel(words)
        if self.form is Form.FACTOR:
            logs = _ticks(self.low, self.high)
            self.axes.set_xticks(logs, [_tick(log) for log in logs])


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
