"""The report in markdown: good on GitHub, good as plain text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kit.report.head import head
from kit.report.model import ReportModel
from kit.report.sections import checks, environment, results, top

__all__ = ["head", "render"]

_SECTIONS: tuple[tuple[str, Callable[[ReportModel], str]], ...] = (
    ("Claims", results.claims),
    ("Does the paper agree with itself?", checks.consistency),
    ("Published against measured", results.published),
    ("Noise, and what counts as one sample", results.noise),
    ("Other tests, order, drift and outliers", checks.robustness),
    ("Substitutes", environment.fidelity),
    ("Same work", top.same_work),
    ("Training", results.training),
    ("What each fit cost", results.cost),
    ("Cold first fit", results.cold),
    ("What ran where", environment.where),
    ("Failed and left out", environment.left_out),
    ("Plan", environment.plan),
    ("Repeat it", environment.repeat),
    ("Raw numbers", environment.raw),
)


BRIEF = ("Claims", "Does the paper agree with itself?", "Substitutes", "Repeat it")
"""The sections of a short report."""


def render(model: ReportModel) -> str:
    """The whole report; the same model gives the same text, to the byte."""
    return "\n\n".join(render_sections(model, tuple(title for title, _ in _SECTIONS))) + "\n"


def render_sections(model: ReportModel, titles: Sequence[str]) -> list[str]:
    """The opening, then the sections of those titles in the report's order."""
    sections = [f"## {title}\n\n{make(model)}" for title, make in _SECTIONS if title in titles]
    return [top.opening(model), *sections]
