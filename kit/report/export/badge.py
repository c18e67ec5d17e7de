"""A badge: the endpoint form of shields (schemaVersion, label, message, color)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from kit.judge.words import (
    EQUIVALENT,
    INCONCLUSIVE,
    NOT_TESTABLE,
    OPPOSITE,
    REPRODUCED,
    SAME_DIRECTION,
    Word,
)
from kit.report.model import ReportModel
from kit.report.text import plain

_MESSAGES: Mapping[Word, tuple[str, str]] = {
    REPRODUCED: ("reproduced", "brightgreen"),
    SAME_DIRECTION: ("same direction", "green"),
    EQUIVALENT: ("no difference", "orange"),
    OPPOSITE: ("opposite", "red"),
    INCONCLUSIVE: ("inconclusive", "lightgrey"),
    NOT_TESTABLE: ("not testable", "lightgrey"),
}


def render(model: ReportModel) -> bytes:
    """Return the verdict on the headline's claim as JSON: a short message and a colour."""
    lead = model.lead
    message, colour = _MESSAGES[lead.word] if lead else ("no measured claim", "lightgrey")
    if lead is not None and lead.indicative:
        message = f"{message} (indicative)"
    document = {
        "schemaVersion": 1,
        "label": plain(model.study.id, 60),
        "message": message,
        "color": colour,
    }
    return (json.dumps(document, sort_keys=True) + "\n").encode()
