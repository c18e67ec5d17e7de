"""The report for other tools: one function per format, all from the one report model."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kit.report.export import ci, times
from kit.report.model import ReportModel


def render_all(model: ReportModel) -> Mapping[str, bytes]:
    """Return the content of every file of these formats, by file name."""
    files = {name: render(model) for name, render in _FILES.items()}
    return {**files, **times.render_pyperf(model)}


_FILES: Mapping[str, Callable[[ReportModel], bytes]] = {
    "badge.json": ci.render_badge,
    "claims.junit.xml": ci.render_junit,
    "fits.csv": times.render_csv,
    "hyperfine.json": times.render_hyperfine,
    "summary.md": ci.render_summary,
}
