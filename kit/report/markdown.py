"""The report in markdown: good on GitHub, good as plain text."""

from __future__ import annotations

from collections.abc import Callable

from kit.report.head import head
from kit.report.model import ReportModel
from kit.report.sections import environment, gpu, results, top

__all__ = ["head", "render"]

_SECTIONS: tuple[tuple[str, Callable[[ReportModel], str]], ...] = (
    ("Claims", results.claims),
    ("Published against measured", results.published),
    ("Noise, and what counts as one sample", results.noise),
    ("Substitutes", environment.fidelity),
    ("Same work", top.same_work),
    ("Training", results.training),
    ("What each fit cost", results.cost),
    ("Cold first fit", results.cold),
    ("GPU", gpu.gpu),
    ("What ran where", environment.where),
    ("Failed and left out", environment.left_out),
    ("Plan", environment.plan),
    ("Repeat it", environment.repeat),
    ("Raw numbers", environment.raw),
)


def render(model: ReportModel) -> str:
    """The whole report; the same model gives the same text, to the byte."""
    parts = [top.opening(model)]
    texts = [(title, section(model)) for title, section in _SECTIONS]
    parts += [f"## {title}\n\n{text}" for title, text in texts if text]
    return "\n\n".join(parts) + "\n"
