"""The plot of a group-sequential session: its lead claim at each look, and where it ended."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kit.judge.effects import gain_of, is_informative, log_of
from kit.judge.statistics import Interval
from kit.judge.verdict import Verdict
from kit.report.looks import interval_at, made_text
from kit.report.model import Course, ReportModel
from kit.report.numbers import Form, equal_text, format_interval
from kit.report.plots import Plot
from kit.report.plots.effects import EffectAxis, claim_name, claimed
from kit.report.plots.style import COLOURS, INK, panels, plot_of
from kit.study.model import Direction

_ROOM = 0.5
"""How far wide intervals may stretch the axis to each side, as a fraction of all other values."""


@dataclass(frozen=True)
class _At:
    """The estimate and repeated interval after so many blocks, as gains."""

    blocks: int
    gain: float
    bounds: Interval

    @property
    def least(self) -> float:
        """Return the log ratio from which on this look would have found a difference."""
        return (log_of(self.bounds.high) - log_of(self.bounds.low)) / 2


@dataclass(frozen=True)
class _Panel:
    """The lead claim of a variant at each look with an interval that is informative."""

    verdict: Verdict
    form: Form
    name: str
    looks: tuple[_At, ...]

    def shown(self) -> list[float]:
        """Return the gains that the axis shows: all but the far ends of wide intervals."""
        band, last = self.verdict.claim.band_percent, self.looks[-1].bounds
        own = [*claimed(self.verdict.claim), band.low, band.high, last.low, last.high, 0.0]
        logs = [log_of(value) for value in (*own, *(at.gain for at in self.looks))]
        low, high = min(logs), max(logs)
        room = _ROOM * (high - low)
        lowest = min(log_of(at.bounds.low) for at in self.looks)
        highest = max(log_of(at.bounds.high) for at in self.looks)
        ends = max(lowest, low - room), min(highest, high + room)
        return [gain_of(log) for log in (low, high, *ends)]


def looks(model: ReportModel) -> Plot | None:
    """Plot the lead claim's repeated interval over the blocks, one panel for each variant.

    None without looks, or if no look had an interval.
    """
    course = model.course
    shown = () if course is None else tuple(_panels(model, course))
    if course is None or not shown:
        return None
    drawn, axes = panels(1.1 + 2.3 * len(shown), len(shown))
    for panel, own in zip(shown, axes, strict=True):
        _draw(panel, course, own)
    axes[-1].set_xlabel(f"blocks; shaded grey: equal, {equal_text(shown[-1].form)}")
    drawn.legend(*axes[-1].get_legend_handles_labels(), loc="outside lower left", ncols=2)
    words = "; ".join(f"{panel.name}: {_words(panel)}" for panel in shown)
    return plot_of("looks", "Lead claim at each look", f"{words}; {_ended(course)}", drawn)


def _panels(model: ReportModel, course: Course) -> Iterable[_Panel]:
    several = len(model.variants) > 1
    for verdict in model.verdicts:
        found = tuple(
            _At(look.blocks, at.gain_percent, bounds)
            for look in course.looks
            for at in look.lead
            if (at.claim, at.variant) == (verdict.claim.id, verdict.variant)
            and at.gain_percent is not None
            and (bounds := interval_at(at)) is not None
            and is_informative(bounds)
        )
        if found:
            name = claim_name(verdict, several)
            yield _Panel(verdict, model.form_of(verdict), name, found)


def _draw(panel: _Panel, course: Course, axes: Any) -> None:
    claim = panel.verdict.claim
    scale = EffectAxis.over(axes, panel.form, panel.shown(), (), upright=True)
    scale.shade(claim.band_percent.low, claim.band_percent.high, COLOURS[1], 0.13)
    published = {"color": COLOURS[1], "lw": 1.5, "ls": "--"}
    for number, value in enumerate(claimed(claim)):
        equal = claim.direction is Direction.EQUAL
        words = "margin" if equal else "published, and its band"
        axes.axhline(scale.at(value), label=words if number == 0 else None, **published)
    blocks = [at.blocks for at in panel.looks]
    for sign in (1, -1):
        scale.draw(
            [_inside(scale, gain_of(sign * at.least)) for at in panel.looks],
            blocks,
            color=INK,
            lw=1,
            ls=":",
            label="boundary: a difference is found beyond it" if sign > 0 else None,
        )
    for at in panel.looks:
        scale.bar(at.blocks, at.bounds, COLOURS[0], 2)
    scale.draw(
        [scale.at(at.gain) for at in panel.looks],
        blocks,
        "o",
        color=COLOURS[0],
        ms=5,
        clip_on=False,
        label="measured, repeated 95 % interval",
    )
    if course.ending is not None:
        axes.axvline(course.blocks + 0.5, color=INK, lw=1, ls="-.", label="end of the session")
    axes.set_xlim(course.rule.first_look - 1, course.most + 1)
    axes.xaxis.get_major_locator().set_params(integer=True)
    scale.label("gain (%)" if panel.form is Form.GAIN else "factor")
    axes.set_title(f"{panel.name} at each look; {_ended(course)}")


def _inside(scale: EffectAxis, gain: float) -> float:
    """Return the position of a gain; not a number beyond the axis, where a line has a gap."""
    place = scale.at(gain)
    return place if scale.low < place < scale.high else math.nan


def _ended(course: Course) -> str:
    blocks = f"{made_text(course)} blocks"
    return f"not ended after {blocks}" if course.ending is None else f"ended after {blocks}"


def _words(panel: _Panel) -> str:
    """Return the first and the last look in words; the report's table has all of them."""
    ends = dict.fromkeys((panel.looks[0], panel.looks[-1]))
    return ", ".join(
        f"after {at.blocks} blocks {format_interval(at.gain, at.bounds, panel.form)}" for at in ends
    )
