"""The summary of a CI job (``$GITHUB_STEP_SUMMARY``): the report's head, within GitHub's limit."""

from __future__ import annotations

from kit.report.contents import brief
from kit.report.model import ReportModel
from kit.report.render import markdown

LIMIT_BYTES = 1024 * 1024
"""GitHub rejects a step's summary above 1 MiB ("Workflow commands for GitHub Actions")."""
_CUT = "\n\nThe rest is in report.md of the results folder.\n"


def render(model: ReportModel, room: int = LIMIT_BYTES) -> bytes:
    """Return opening, claims, substitutes and consistency in at most ``room`` bytes.

    If that is too little, only the first sections that fit, each complete, then a note; empty
    if even the note does not fit.
    """
    text = b""
    for part in brief(model):
        addition = (b"\n\n" if text else b"") + markdown.render(part).rstrip("\n").encode()
        if len(text) + len(addition) + len(_CUT) > room:
            break
        text += addition
    return text + _CUT.encode() if len(_CUT) <= room else b""
