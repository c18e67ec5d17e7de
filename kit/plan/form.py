"""Names of block designs in run logs: up to form 6, ``alternating`` was ``sequential``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit.plan.model import ALTERNATING

FORM = 7
"""The form of the run logs that kit writes."""
OLD_ALTERNATING = "sequential"
_RENAMED_SINCE = 7
_OTHER_NAME = {ALTERNATING: OLD_ALTERNATING, OLD_ALTERNATING: ALTERNATING}


def in_form(document: Any, form: int) -> Any:
    """Return the JSON values of a plan or outlook with the names of designs in that form of log.

    It exchanges the two names, so it also gives a log's values today's names; a name that the
    form does not have becomes one that no schema accepts. Other values return unchanged.
    """
    if form >= _RENAMED_SINCE or not isinstance(document, Mapping):
        return document
    named = dict(document)
    if isinstance(named.get("design"), str):
        named["design"] = _OTHER_NAME.get(named["design"], named["design"])
    if isinstance(named.get("designs"), (list, tuple)):
        named["designs"] = [in_form(each, form) for each in named["designs"]]
    return named
