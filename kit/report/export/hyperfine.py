"""hyperfine's JSON (``--export-json``): one result per arm, one time per run.

The time of a run is its median fit without the cold one, because the container is
the unit of replication; ``user`` and ``system`` are the mean CPU seconds of a fit.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from statistics import fmean, median, stdev
from typing import Any

from kit.judge.statistics import warm
from kit.report.model import RawRun, ReportModel
from kit.report.text import plain


def render(model: ReportModel) -> bytes:
    """Return the document, without the arms that have no compared run."""
    results = []
    for arm in model.header.plan.arms:
        runs = [run for run in model.raw if run.arm == arm and run.compared]
        if runs:
            results.append(_result(arm, runs))
    return (json.dumps({"results": results}, indent=2, sort_keys=True) + "\n").encode()


def _result(arm: str, runs: Sequence[RawRun]) -> dict[str, Any]:
    times = [run.statistics.hardened for run in runs if run.statistics is not None]
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
