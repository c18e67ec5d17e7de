"""An artifact-evaluation appendix: the study's claims and the cost of testing them."""

from __future__ import annotations

from collections.abc import Mapping

from kit.records.session import Session
from kit.report.appendix.checklist import opening
from kit.report.appendix.experiments import experiments
from kit.report.model import ReportModel
from kit.report.render import latex, markdown
from kit.results import APPENDIX, APPENDIX_LATEX


def render(session: Session, model: ReportModel) -> Mapping[str, bytes]:
    """Return the appendix in markdown and LaTeX, by file name; the same log gives the same bytes.

    Raise TypeError for an unknown reason of a verdict.
    """
    blocks = (*opening(session, model), *experiments(session, model))
    return {
        APPENDIX: markdown.render(blocks).encode(),
        APPENDIX_LATEX: latex.render(blocks).encode(),
    }
