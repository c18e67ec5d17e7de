"""The report for other tools: one module per format, all from the one report model."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kit.report.export import badge, fits_csv, hyperfine, junit, pyperf, summary
from kit.report.model import ReportModel


def render_all(model: ReportModel) -> Mapping[str, bytes]:
    """Return the content of every file of these formats, by file name."""
    files = {name: render(model) for name, render in _FILES.items()}
    return {**files, **pyperf.render(model)}


_FILES: Mapping[str, Callable[[ReportModel], bytes]] = {
    "badge.json": badge.render,
    "claims.junit.xml": junit.render,
    "fits.csv": fits_csv.render,
    "hyperfine.json": hyperfine.render,
    "summary.md": summary.render,
}
