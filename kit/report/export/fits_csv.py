"""Every fit as a row of CSV (RFC 4180, UTF-8), for any spreadsheet or data frame."""

from __future__ import annotations

import csv
import io

from kit.report.model import RawRun, ReportModel
from kit.report.text import plain

COLUMNS = (
    "run_id", "block", "position", "arm", "role", "counted", "fit", "wall_s", "paper_clock_s",
    "user_s", "system_s", "minor_faults", "rss_before_bytes", "rss_after_bytes", "last_loss",
    "last_accuracy", "started_at",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@")


def render(model: ReportModel) -> bytes:
    """Return the CSV: one row per fit, in the order they ran.

    ``role`` is "main" for the runs that are compared, else the role of the control or pilot;
    ``counted`` is 0 for excluded runs.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for run in model.raw:
        writer.writerows(_rows(run))
    return text.getvalue().encode()


def _rows(run: RawRun) -> list[list[object]]:
    return [
        [
            _cell(run.run_id),
            run.block,
            run.position,
            _cell(run.arm),
            _cell(run.role),
            int(run.counted),
            fit.index,
            fit.wall_ns / 1e9,
            fit.paper_clock_s,
            fit.user_ns / 1e9,
            fit.system_ns / 1e9,
            fit.minor_faults,
            fit.rss_before_bytes,
            fit.rss_after_bytes,
            fit.losses[-1] if fit.losses else "",
            fit.accuracies[-1] if fit.accuracies else "",
            _cell(run.started_at),
        ]
        for fit in run.fits
    ]


def _cell(text: str) -> str:
    """Return one line without control characters (Python 3.10's csv rejects NUL).

    A spreadsheet reads a leading sign as a formula: a quote makes it text.
    """
    shown = plain(text)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
