"""An artifact-evaluation appendix: the study's claims with what testing them cost here."""

from __future__ import annotations

from collections.abc import Mapping

from kit.records.session import Session
from kit.report.appendix.checklist import opening
from kit.report.appendix.experiments import experiments
from kit.report.model import ReportModel
from kit.report.render import latex, markdown
from kit.results.names import APPENDIX, APPENDIX_LATEX


def render(session: Session, model: ReportModel) -> Mapping[str, bytes]:
    """Return the appendix in both forms, by file name; the same log gives the same bytes."""
    blocks = (*opening(session, model), *experiments(session, model))
    return {
        APPENDIX: markdown.render(blocks).encode(),
        APPENDIX_LATEX: latex.render(blocks).encode(),
    }
