"""pyperf's JSON (format 1.0), one file per arm: one pyperf run per container.

The cold first fit is the run's warm-up, the other fits are its values. All files
give their benchmark the same name, so ``pyperf compare_to`` pairs them; it treats
the values of all containers as one sample, which kit's verdicts do not.
"""

from __future__ import annotations

import json
from typing import Any

from kit.judge.statistics import warm
from kit.report.model import RawRun, ReportModel
from kit.report.text import plain

VERSION = "1.0"


def render(model: ReportModel) -> dict[str, bytes]:
    """Return content by file name; an arm without a compared run has no file."""
    files = {}
    for arm in model.header.plan.arms:
        runs = [run for run in model.raw if run.arm == arm and run.compared]
        if runs:
            document = _document(model, arm, runs)
            text = json.dumps(document, indent=2, sort_keys=True) + "\n"
            files[f"pyperf-{arm}.json"] = text.encode()
    return files


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
        "version": VERSION,
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
    """Return the engine's time (RFC 3339, nanoseconds) in pyperf's form, without its zone."""
    day, _, time = started_at.partition("T")
    clock = time[:15].rstrip("Z")
    return f"{day} {clock}" if day and clock else ""
