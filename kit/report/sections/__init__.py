"""The sections of a report in order: functions from the model to blocks; none without content."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from kit.report import ablation
from kit.report.document import Block, Figure, Heading
from kit.report.model import ReportModel
from kit.report.plots import Plot
from kit.report.sections import checks, environment, runs, samples, session, top
from kit.results import PLOTS

_Section = tuple[str, Callable[[ReportModel], tuple[Block, ...]]]


def _explained(model: ReportModel) -> tuple[Block, ...]:
    return ablation.section(model.explanation) if model.explanation is not None else ()


_SUBSTITUTES: _Section = ("Substitutions", environment.fidelity)
_CONSISTENCY: _Section = ("Internal consistency of the publication", checks.consistency)
_EVIDENCE: tuple[_Section, ...] = (
    _SUBSTITUTES,
    ("Published and measured results", samples.published),
    _CONSISTENCY,
    (ablation.TITLE, _explained),
    ("Resource usage per fit", samples.cost),
    ("Cold start", samples.cold),
    ("Training", samples.training),
    ("Executable", checks.executable),
    ("Measurement noise and unit of replication", samples.noise),
    ("Sensitivity analyses", checks.sensitivity),
    ("Results per host", samples.hosts),
    ("GPU", environment.gpu),
    ("Environment", environment.where),
    ("Host interference", session.interference),
    ("Excluded runs", session.left_out),
    ("Measurement plan", session.plan),
    ("Raw measurements", session.raw),
)
"""The details, which a page folds."""


def report(model: ReportModel, plots: Sequence[Plot] = ()) -> tuple[Block, ...]:
    """Return the complete report; the same model gives the same blocks."""
    figures = [Figure(f"{PLOTS}/{plot.name}.svg", plot.alt, plot.svg, plot.png) for plot in plots]
    drawn: list[Block] = [*figures[:1], *runs.chart(model), *figures[1:]]
    shown = (Heading(2, "Plots"), *drawn) if drawn else ()
    details = [block for part in _filled(model, _EVIDENCE) for block in part]
    return *top.opening(model), *top.basis(model), *shown, *details


def brief(model: ReportModel) -> Iterator[tuple[Block, ...]]:
    """Yield the sections of a short report, one after another, the opening first."""
    yield top.opening(model)
    yield top.basis(model)
    yield from _filled(model, (_SUBSTITUTES, _CONSISTENCY))


def _filled(model: ReportModel, sections: Sequence[_Section]) -> Iterator[tuple[Block, ...]]:
    """Yield the sections that have content, each below its heading."""
    for title, make in sections:
        blocks = make(model)
        if blocks:
            yield Heading(2, title, folded=True), *blocks
