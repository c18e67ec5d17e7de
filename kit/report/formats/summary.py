"""The summary of a CI job (``$GITHUB_STEP_SUMMARY``): the report's head, within its limit."""

from __future__ import annotations

from kit.report.markdown import BRIEF, render_sections
from kit.report.model import ReportModel

LIMIT_BYTES = 1024 * 1024
"""GitHub refuses a step's summary above 1 MiB ("Workflow commands for GitHub Actions")."""
_CUT = "\n\nThe rest is in report.md of the results folder.\n"


def render(model: ReportModel) -> bytes:
    """Opening, claims, consistency and substitutes; whole sections only, if it must be cut."""
    text = b""
    for part in render_sections(model, BRIEF):
        addition = (b"\n\n" if text else b"") + part.encode()
        if len(text) + len(addition) + len(_CUT) > LIMIT_BYTES:
            break
        text += addition
    return text + _CUT.encode()
