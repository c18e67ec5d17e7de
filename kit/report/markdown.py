"""The report in markdown: good on GitHub, good as plain text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kit.report import explanation
from kit.report.model import ReportModel
from kit.report.plots import FOLDER, Plot
from kit.report.sections import checks, environment, gpu, hosts, results, top
from kit.report.text import inline


def _explained(model: ReportModel) -> str:
    """The explanation, if one was made."""
    return explanation.section(model.explanation) if model.explanation is not None else ""


_Section = tuple[str, Callable[[ReportModel], str]]

_ANSWER: tuple[_Section, ...] = (
    ("Claims", results.claims),
    ("Substitutes", environment.fidelity),
    ("Controls", checks.control_runs),
    ("Same work", top.same_work),
)
"""What holds, and what that rests on: before the plots."""
_EVIDENCE: tuple[_Section, ...] = (
    ("Published against measured", results.published),
    ("Does the paper agree with itself?", checks.consistency),
    ("Where the difference comes from", _explained),
    ("What each fit cost", results.cost),
    ("Cold first fit", results.cold),
    ("Training", results.training),
    ("The executable", checks.executable),
    ("Noise, and what counts as one sample", results.noise),
    ("Other tests, order, drift and outliers", checks.robustness),
    ("Host by host", hosts.hosts),
    ("GPU", gpu.gpu),
    ("What ran where", environment.where),
    ("Disturbances of the host", environment.disturbances),
    ("Failed and left out", environment.left_out),
    ("Plan", environment.plan),
    ("Repeat it", environment.repeat),
    ("Raw numbers", environment.raw),
)

ALT_LIMIT = 1000
BRIEF = ("Claims", "Substitutes", "Does the paper agree with itself?", "Repeat it")
"""The sections of a short report."""


def render(model: ReportModel, plots: Sequence[Plot] = ()) -> str:
    """The whole report; the same model gives the same text, to the byte.

    ``plots`` are linked as files below ``FOLDER``, beside the report.
    """
    images = [f"![{inline(p.alt, ALT_LIMIT)}]({FOLDER}/{p.name}.svg)" for p in plots]
    drawn = ["## Plots\n\n" + "\n\n".join(images)] if images else []
    parts = [top.opening(model), *_rendered(model, _ANSWER), *drawn, *_rendered(model, _EVIDENCE)]
    return "\n\n".join(parts) + "\n"


def render_brief(model: ReportModel) -> list[str]:
    """The parts of a short report: the opening, then the sections of ``BRIEF``."""
    named = [section for section in (*_ANSWER, *_EVIDENCE) if section[0] in BRIEF]
    return [top.opening(model), *_rendered(model, named)]


def _rendered(model: ReportModel, sections: Sequence[_Section]) -> list[str]:
    """Those that have any text, each below its heading."""
    texts = [(title, make(model)) for title, make in sections]
    return [f"## {title}\n\n{text}" for title, text in texts if text]
