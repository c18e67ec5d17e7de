"""The summary of a CI job (``$GITHUB_STEP_SUMMARY``): the report's head, within its limit."""

from __future__ import annotations

from kit.report.markdown import render_brief
from kit.report.model import ReportModel

LIMIT_BYTES = 1024 * 1024
"""GitHub refuses a step's summary above 1 MiB ("Workflow commands for GitHub Actions")."""
_CUT = "\n\nThe rest is in report.md of the results folder.\n"


def render(model: ReportModel, room: int = LIMIT_BYTES) -> bytes:
    """Opening, claims, substitutes and consistency in at most ``room`` bytes.

    Whole sections only, if it must be cut; nothing at all where not even a word has room.
    """
    text = b""
    for part in render_brief(model):
        addition = (b"\n\n" if text else b"") + part.encode()
        if len(text) + len(addition) + len(_CUT) > room:
            break
        text += addition
    return text + _CUT.encode() if len(_CUT) <= room else b""
