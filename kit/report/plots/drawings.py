"""The drawings: the axes of each plot, and its description in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from kit.judge.statistics import Estimate, RunStatistics
from kit.judge.verdict import Verdict
from kit.plan.roles import MAIN, PLACEBO
from kit.report.headline import claimed_short
from kit.report.model import RawRun, ReportModel
from kit.report.numbers import Form, equal_text, format_gain, format_number, format_trend
from kit.report.plots import Plot
from kit.report.plots.effects import EffectAxis, claim_name, claimed
from kit.report.plots.looks import looks
from kit.report.plots.style import COLOURS, FAINT, INK, figure, marks, plot_of, styled
from kit.report.text import plain
from kit.study.model import Direction

_MEGABYTE = 1e6


def draw_all(model: ReportModel) -> tuple[Plot, ...]:
    """Return every plot that the session has numbers for."""
    makers: Sequence[Callable[[ReportModel], Plot | None]] = (
        gains,
        looks,
        hosts,
        strip,
        order,
        memory,
        system,
    )
    with styled():
        drawn = [make(model) for make in makers]
    return tuple(plot for plot in drawn if plot is not None)


def gains(model: ReportModel) -> Plot | None:
    """Plot each claim's measured gain with its interval, the published gain, the equal zone.

    None if no gain was measured.
    """
    shown = [v for v in model.verdicts if v.measured and v.measured.gain_percent is not None]
    if not shown:
        return None
    drawn, axes = figure(1.3 + 0.45 * len(shown))
    form = _form(model)
    floors = _noise_floors(model)
    scale = EffectAxis.over(
        axes,
        form,
        [value for v in shown for value in claimed(v.claim)],
        [v.measured for v in shown if v.measured is not None],
    )
    rows = list(range(len(shown)))[::-1]
    for row, verdict in zip(rows, shown, strict=True):
        floor = floors.get((verdict.variant, verdict.claim.statistic))
        if floor is not None and floor.gain_interval is not None:
            scale.bar(row - 0.28, floor.gain_interval, FAINT, 4)
        if verdict.measured is not None:
            scale.estimate(row, verdict.measured, COLOURS[0], "o", 2.5)
        if verdict.claim.direction is Direction.EQUAL:
            scale.margin(row, verdict.claim.band_percent, COLOURS[1])
        else:
            published = scale.at(verdict.claim.published_gain_percent)
            axes.plot(published, row, "D", color=COLOURS[1], mfc="none", ms=7, clip_on=False)
    several = len(model.variants) > 1
    baseline, contender = plain(model.study.baseline, 20), plain(model.study.contender, 20)
    axes.set_yticks(rows, [claim_name(v, several) for v in shown])
    axes.set_ylim(-0.7, len(shown) - 0.3)
    pair = f"{contender} over {baseline}"
    what = f"gain (%) of {pair}" if form is Form.GAIN else f"speed of {pair}"
    scale.label(f"{what}; shaded: equal, {equal_text(form)}")
    floor_words = "; noise floor (grey bar)" if floors else ""
    axes.set_title(f"Measured, 95 % interval (circle); published ({_signs(shown)}){floor_words}")
    words = "; ".join(
        f"{claim_name(v, several)}: measured {format_gain(v.measured, model.form_of(v))}, "
        f"published {claimed_short(v.claim, model.form_of(v))}, {v.printed}"
        for v in shown
    )
    return plot_of("gains", "Gain by claim", words, drawn)


def hosts(model: ReportModel) -> Plot | None:
    """Plot, as a forest plot, the headline claim's gain on each host, then over all blocks.

    None without several hosts.
    """
    lead = model.lead
    part = next(
        (p.comparison for p in model.variants if lead is not None and p.variant == lead.variant),
        None,
    )
    if part is None or lead is None or not part.hosts.parts:
        return None
    statistic = lead.claim.statistic
    shown = [
        (f"host {number}", own.estimates[statistic], COLOURS[0], "s")
        for number, own in enumerate(part.hosts.parts, start=1)
    ]
    shown.append(("all", part.estimates[statistic], INK, "D"))
    drawn, axes = figure(1.2 + 0.4 * len(shown))
    published, form = claimed(lead.claim), model.form_of(lead)
    scale = EffectAxis.over(axes, form, published, [found for _, found, *_ in shown])
    for value in published:
        axes.axvline(scale.at(value), color=COLOURS[1], lw=1.5, ls="--")
    rows = list(range(len(shown)))[::-1]
    for row, (_, found, colour, marker) in zip(rows, shown, strict=True):
        scale.estimate(row, found, colour, marker, 2)
    axes.set_yticks(rows, [f"{name} ({found.pairs} blocks)" for name, found, *_ in shown])
    axes.set_ylim(-0.6, len(shown) - 0.4)
    what = "gain (%)" if form is Form.GAIN else "factor"
    scale.label(f"{what}; dashed: published; shaded: equal, {equal_text(form)}")
    axes.set_title(f"{claim_name(lead, False)} by host")
    words = "; ".join(
        f"{name}: {format_gain(found, form)} over {found.pairs} blocks" for name, found, *_ in shown
    )
    return plot_of("hosts", "Gain by host", words, drawn)


def strip(model: ReportModel) -> Plot | None:
    """Plot one point per run, its median fit without the cold one, by arm; None without runs."""
    arms = _arms(model)
    if not arms:
        return None
    title = "Warm median of each run by arm"
    drawn, axes = figure(1.2 + 0.55 * len(arms))
    for row, series in enumerate(arms):
        values = [run.warm_median for run in series.runs]
        # Offsets in the order of the runs keep equal values apart; random ones would vary.
        last = max(len(values) - 1, 1)
        offsets = [row + 0.3 * (index / last - 0.5) for index in range(len(values))]
        axes.plot(values, offsets, ls="", alpha=0.8, ms=5, **marks(series.arm, series.role))
        middle = median(values)
        axes.plot([middle, middle], [row - 0.3, row + 0.3], color=INK, lw=1.5)
    axes.set_yticks(range(len(arms)), [plain(series.name, 30) for series in arms])
    axes.set_ylim(-0.6, len(arms) - 0.4)
    axes.set_xlabel("warm median of a run (s); bar: median over runs")
    axes.set_title(title)
    words = "; ".join(
        f"{plain(series.name, 30)}: {len(series.runs)} runs, "
        f"{format_number(min(r.warm_median for r in series.runs), 3)} to "
        f"{format_number(max(r.warm_median for r in series.runs), 3)} s"
        for series in arms
    )
    return plot_of("runs", title, words, drawn)


def order(model: ReportModel) -> Plot | None:
    """Plot the runs in their order, to show drift and disturbances; None without runs."""
    arms = _arms(model)
    if not arms:
        return None
    positions = {run.run_id: position for position, run in enumerate(model.judged.runs, start=1)}
    title = "Warm median of each run in order of execution"
    drawn, axes = figure(2.9)
    for series in arms:
        axes.plot(
            [positions[run.run_id] for run in series.runs],
            [run.warm_median for run in series.runs],
            ls="-" if series.role == MAIN else "--",
            lw=0.8,
            ms=4.5,
            label=plain(series.name, 30),
            **marks(series.arm, series.role),
        )
    axes.set_xlabel("run, in order of execution")
    axes.set_ylabel("warm median (s)")
    axes.set_title(title)
    _legend(axes, len(arms))
    several = any(part.comparison.hosts.parts for part in model.variants)
    no_trend = "runs of several hosts" if several else "too few runs to estimate drift"
    words = "; ".join(_drift_words(model)) or no_trend
    return plot_of("order", title, words, drawn)


def memory(model: ReportModel) -> Plot | None:
    """Plot the resident memory after each fit of a run; None without compared runs."""
    return _per_fit(
        model,
        "memory",
        "Resident memory after each fit",
        "MB",
        lambda run: [fit.rss_after_bytes / _MEGABYTE for fit in run.fits],
    )


def system(model: ReportModel) -> Plot | None:
    """Plot the CPU seconds in the kernel of each fit; None without compared runs."""
    return _per_fit(
        model,
        "system-cpu",
        "System CPU time of each fit",
        "s",
        lambda run: [fit.system_ns / 1e9 for fit in run.fits],
    )


def _per_fit(
    model: ReportModel, name: str, title: str, unit: str, values: Callable[[RawRun], list[float]]
) -> Plot | None:
    compared = [run for run in model.raw if run.compared and run.fits]
    arms = [arm for arm in model.header.plan.arms if any(run.arm == arm for run in compared)]
    if not arms:
        return None
    drawn, axes = figure(2.7)
    words = []
    for arm in arms:
        curves = [values(run) for run in compared if run.arm == arm]
        # One line per arm, broken between runs: a thousand lines take seconds to draw.
        axes.plot(
            [epoch for curve in curves for epoch in (*range(1, len(curve) + 1), math.nan)],
            [value for curve in curves for value in (*curve, math.nan)],
            ls="-",
            lw=0.8,
            ms=3.5,
            alpha=0.75,
            label=plain(arm, 30),
            **marks(model.header.plan.arms.index(arm), MAIN),
        )
        first = math.fsum(curve[0] for curve in curves) / len(curves)
        last = math.fsum(curve[-1] for curve in curves) / len(curves)
        words.append(
            f"{plain(arm, 30)}: {format_number(first, 2)} {unit} at the first fit, "
            f"{format_number(last, 2)} at the last"
        )
    axes.set_xlabel("fit within the run (1: cold)")
    axes.set_ylabel(unit)
    axes.set_ylim(bottom=0)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_title(title)
    _legend(axes, len(arms))
    return plot_of(name, title, "; ".join(words), drawn)


def _signs(shown: Sequence[Verdict]) -> str:
    """Return the symbols for the claims in the plot of gains."""
    kinds = {v.claim.direction is Direction.EQUAL for v in shown}
    return "; ".join({False: "diamond", True: "box: margin"}[kind] for kind in sorted(kinds))


def _form(model: ReportModel) -> Form:
    """Return the form of the axis for all variants: factors if one of them has factors."""
    forms = {part.form for part in model.variants}
    return Form.FACTOR if Form.FACTOR in forms else Form.GAIN


@dataclass(frozen=True)
class _Series:
    """The runs of one arm and role. ``arm`` is its index in the plan."""

    name: str
    arm: int
    role: str
    runs: list[RunStatistics]


def _arms(model: ReportModel) -> list[_Series]:
    """Return the runs by arm and role, main runs first."""
    found: dict[tuple[bool, int, str], list[RunStatistics]] = {}
    arms = model.header.plan.arms
    for run in model.judged.runs:
        found.setdefault((run.role != MAIN, arms.index(run.arm), run.role), []).append(run)
    return [
        _Series(arms[arm] if role == MAIN else f"{arms[arm]} {role}", arm, role, runs)
        for (_, arm, role), runs in sorted(found.items())
    ]


def _noise_floors(model: ReportModel) -> dict[tuple[str, str], Estimate]:
    """Return the placebo's estimates with an interval, by variant and statistic."""
    return {
        (control.variant, name): estimate
        for part in model.variants
        for control in part.comparison.controls
        if control.role == PLACEBO
        for name, estimate in control.estimates.items()
        if estimate.gain_interval is not None
    }


def _drift_words(model: ReportModel) -> list[str]:
    trends = (
        (drift.arm, format_trend(drift.percent, part.form))
        for part in model.variants
        for drift in part.comparison.drifts
        if drift.percent is not None
    )
    return [f"{plain(arm, 30)} from its first run to its last: {trend}" for arm, trend in trends]


def _legend(axes: Any, arms: int) -> None:
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.2), ncols=min(arms, 4))
