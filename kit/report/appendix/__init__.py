"""An artifact-evaluation appendix: the study's claims with what testing them cost here."""

from __future__ import annotations

from collections.abc import Mapping

from kit.measure.session import Session
from kit.report.appendix import latex, markdown
from kit.report.appendix.checklist import opening
from kit.report.appendix.experiments import experiments
from kit.report.model import ReportModel

MARKDOWN, LATEX = "appendix.md", "appendix.tex"


def render(session: Session, model: ReportModel) -> Mapping[str, bytes]:
    """The appendix in both forms, by file name; the same log gives the same bytes."""
    title = f"Artifact appendix: {model.study.title}"
    sections = [*opening(session, model), *experiments(session, model)]
    return {
        MARKDOWN: markdown.render(title, sections).encode(),
        LATEX: latex.render(title, sections).encode(),
    }
