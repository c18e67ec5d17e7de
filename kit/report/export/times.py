"""The times for other tools: every fit as a row of CSV, and the JSON of hyperfine and pyperf.

hyperfine's JSON (``--export-json``) has one result per arm, one time per run: its median fit
without the cold one, because the container is the unit of replication; ``user`` and ``system``
are the mean CPU seconds of a fit.

pyperf's JSON (format 1.0) is one file per arm, with one pyperf run per container: the cold
first fit is its warm-up, the other fits are its values. All files give their benchmark the same
name, so ``pyperf compare_to`` pairs them; it treats the values of all containers as one sample,
which kit's verdicts do not.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from statistics import fmean, median, stdev
from typing import Any

from kit.judge.statistics import warm
from kit.report.model import RawRun, ReportModel
from kit.report.text import plain

COLUMNS = (
    "run_id", "block", "position", "arm", "role", "counted", "fit", "wall_s", "paper_clock_s",
    "user_s", "system_s", "minor_faults", "rss_before_bytes", "rss_after_bytes", "last_loss",
    "last_accuracy", "started_at",
)  # fmt: skip
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d(?:\.\d{1,6})?)", re.ASCII)
_FORMULA = ("=", "+", "-", "@")
PYPERF_VERSION = "1.0"


def render_csv(model: ReportModel) -> bytes:
    """Return every fit's times as CSV (RFC 4180, UTF-8): one row per fit, in the order they ran.

    ``role`` is "main" for the runs that are compared, else the role of the control or pilot;
    ``counted`` is 0 for excluded runs.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for run in model.raw:
        writer.writerows(_rows(run))
    return text.getvalue().encode()


def render_hyperfine(model: ReportModel) -> bytes:
    """Return the times in hyperfine's JSON, without the arms that have no compared run."""
    results = [_result(arm, runs) for arm, runs in _compared(model)]
    return (json.dumps({"results": results}, indent=2, sort_keys=True) + "\n").encode()


def render_pyperf(model: ReportModel) -> dict[str, bytes]:
    """Return the times in pyperf's JSON, by file name.

    An arm without a compared run has no file.
    """
    files = {}
    for arm, runs in _compared(model):
        text = json.dumps(_document(model, arm, runs), indent=2, sort_keys=True) + "\n"
        files[f"pyperf-{arm}.json"] = text.encode()
    return files


def _compared(model: ReportModel) -> Iterator[tuple[str, list[RawRun]]]:
    """Yield each arm that has compared runs, with these."""
    for arm in model.header.plan.arms:
        runs = [run for run in model.raw if run.arm == arm and run.compared]
        if runs:
            yield arm, runs


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


def _result(arm: str, runs: Sequence[RawRun]) -> dict[str, Any]:
    times = [run.statistics.warm_median for run in runs if run.statistics is not None]
    fits = [fit for run in runs for fit in warm(run.fits)]
    return {
        "command": plain(arm),
        "mean": fmean(times),
        "stddev": stdev(times) if len(times) > 1 else None,
        "median": median(times),
        "min": min(times),
        "max": max(times),
        "user": fmean(fit.user_ns / 1e9 for fit in fits),
        "system": fmean(fit.system_ns / 1e9 for fit in fits),
        "times": times,
        "exit_codes": [0] * len(times),
        "parameters": {"arm": plain(arm)},
    }


def _document(model: ReportModel, arm: str, runs: list[RawRun]) -> dict[str, Any]:
    host = model.header.host
    metadata = {
        "name": "fit",
        "unit": "second",
        "loops": 1,
        "description": plain(model.study.title),
        "kit_arm": plain(arm),
        "cpu_model_name": plain(host.cpu_model),
        "cpu_count": host.cpus,
        "platform": plain(f"{host.operating_system}, Linux {host.kernel}"),
    }
    known = {name: value for name, value in metadata.items() if value not in ("", 0)}
    return {
        "version": PYPERF_VERSION,
        "metadata": known,
        "benchmarks": [{"runs": [_run(run) for run in runs]}],
    }


def _run(run: RawRun) -> dict[str, Any]:
    walls = [fit.wall_ns / 1e9 for fit in run.fits]
    document: dict[str, Any] = {
        "metadata": {
            "kit_run": plain(run.run_id),
            "kit_block": run.block,
            "date": _date(plain(run.started_at)),
        },
        "values": list(warm(walls)),
    }
    if len(walls) > 1:
        document["warmups"] = [[1, walls[0]]]
    if not document["metadata"]["date"]:
        del document["metadata"]["date"]
    return document


def _date(started_at: str) -> str:
    """Return the engine's time (RFC 3339) in pyperf's form: to microseconds, without its zone.

    Empty for another text.
    """
    found = _TIME.match(started_at)
    return "" if found is None else f"{found[1]} {found[2]}"
