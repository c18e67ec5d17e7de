"""The chart of runs, in which a reader can point at a run: its block, order and host."""

from __future__ import annotations

from kit.plan.roles import MAIN
from kit.report.document import Chart, Dot
from kit.report.model import RawRun, ReportModel
from kit.report.numbers import format_number, format_seconds

_TITLE = "Warm median of each run in order of execution; point at a run for its block and host."


def chart(model: ReportModel) -> tuple[Chart, ...]:
    """Return the chart of all usable timed runs, main ones first; nothing without a run."""
    places = {run.run_id: place for place, run in enumerate(model.judged.runs, start=1)}
    runs = [run for run in model.raw if run.statistics is not None and run.run_id in places]
    if not runs:
        return ()
    arms = model.header.plan.arms
    keys = sorted({(run.role != MAIN, arms.index(run.arm), run.role) for run in runs})
    series = {(arms[arm], role): number for number, (_, arm, role) in enumerate(keys)}
    return (
        Chart(
            _TITLE,
            tuple(_name(arm, role) for arm, role in series),
            tuple(
                Dot(
                    series[run.arm, run.role],
                    places[run.run_id],
                    run.statistics.warm_median,
                    _about(run, run.statistics.warm_median),
                )
                for run in runs
                if run.statistics is not None
            ),
        ),
    )


def _name(arm: str, role: str) -> str:
    return arm if role == MAIN else f"{arm} {role}"


def _about(run: RawRun, median: float) -> str:
    load = format_number(run.host.load_1m_before, 2)
    host = "; ".join(run.flags) or "no interference"
    left_out = "" if run.counted else " Excluded from the comparison."
    return (
        f"{_name(run.arm, run.role)}, block {run.block}, run {run.position + 1} of the block: "
        f"{format_seconds(median)} s. Host: load {load} before, {host}.{left_out}"
    )
