"""Rows of the doctor as a table and as JSON values."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict

from tabulate import tabulate

from kit.environment import terminal_width
from kit.host.doctor.checks import Row, Status, ready

_NAME_WIDTH = 14
_STATUS_WIDTH = 4
_GAPS = 6


def table(rows: Sequence[Row], width: int | None = None) -> str:
    """Return a plain table that fits ``width`` columns (the terminal's when None)."""
    width = terminal_width(100) if width is None else width
    left = max(36, width - _NAME_WIDTH - _STATUS_WIDTH - _GAPS)
    share = left // 2
    body = [
        (row.name, row.status.value, _wrapped(row.found, share), _wrapped(row.remedy, left - share))
        for row in rows
    ]
    # Without number parsing: tabulate would turn "2" into a number and align it right.
    return tabulate(
        body, ("check", "", "found", "remedy"), tablefmt="simple", disable_numparse=True
    )


def to_json(rows: Sequence[Row]) -> dict[str, object]:
    """Return the rows, their count by status, and whether all are ready, as JSON values."""
    return {
        "ready": ready(rows),
        "counts": {status.value: sum(row.status is status for row in rows) for status in Status},
        "rows": [{**asdict(row), "status": row.status.value} for row in rows],
    }


def _wrapped(text: str, width: int) -> str:
    return "\n".join(textwrap.wrap(text, width, break_long_words=True)) or ""
