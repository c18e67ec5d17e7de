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


_SECTIONS: tuple[tuple[str, Callable[[ReportModel], str]], ...] = (
    ("Claims", results.claims),
    ("Controls", checks.control_runs),
    ("Does the paper agree with itself?", checks.consistency),
    ("Published against measured", results.published),
    ("Noise, and what counts as one sample", results.noise),
    ("Other tests, order, drift and outliers", checks.robustness),
    ("Substitutes", environment.fidelity),
    ("Same work", top.same_work),
    ("Training", results.training),
    ("The executable", checks.executable),
    ("What each fit cost", results.cost),
    ("Cold first fit", results.cold),
    ("Where the difference comes from", _explained),
    ("GPU", gpu.gpu),
    ("What ran where", environment.where),
    ("Host by host", hosts.hosts),
    ("Disturbances of the host", environment.disturbances),
    ("Failed and left out", environment.left_out),
    ("Plan", environment.plan),
    ("Repeat it", environment.repeat),
    ("Raw numbers", environment.raw),
)


ALT_LIMIT = 1000
BRIEF = ("Claims", "Does the paper agree with itself?", "Substitutes", "Repeat it")
"""The sections of a short report."""


def render(model: ReportModel, plots: Sequence[Plot] = ()) -> str:
    """The whole report; the same model gives the same text, to the byte.

    ``plots`` are linked as files below ``FOLDER``, beside the report.
    """
    parts = render_sections(model, tuple(title for title, _ in _SECTIONS))
    if plots:
        images = (f"![{inline(p.alt, ALT_LIMIT)}]({FOLDER}/{p.name}.svg)" for p in plots)
        # After the claims: a reader looks at the picture of the verdicts next.
        parts.insert(2, "## Plots\n\n" + "\n\n".join(images))
    return "\n\n".join(parts) + "\n"


def render_sections(model: ReportModel, titles: Sequence[str]) -> list[str]:
    """The opening, then the sections of those titles that have any text, in the report's order."""
    texts = [(title, make(model)) for title, make in _SECTIONS if title in titles]
    return [top.opening(model), *(f"## {title}\n\n{text}" for title, text in texts if text)]
