"""Measured cost of a session: minutes, disk and memory."""

from __future__ import annotations

from collections.abc import Collection

from kit.records.session import Session, moment
from kit.report.model import ReportModel
from kit.report.numbers import fixed, gigabytes

HUMAN = "5 minutes (estimate: start one command, read one page)"


def compute(session: Session, arms: Collection[str]) -> str:
    """Return the total time of these arms' containers, by the engine; failed runs count."""
    entries = [entry for entry in session.entries if entry.arm in arms]
    seconds = [entry.seconds for entry in entries if entry.seconds is not None]
    if not seconds:
        return "not measured in this session"
    unknown = len(entries) - len(seconds)
    text = f"{minutes(sum(seconds))} in {len(seconds)} containers, measured in this session"
    return f"{text} ({unknown} more without a time)" if unknown else text


def whole(session: Session) -> str:
    """Return the time from the session's start to the end of its last container."""
    try:
        start = moment(session.header.created)
        ends = [moment(entry.finished_at) for entry in session.entries]
        span = (max(ends) - start).total_seconds()
    except (TypeError, ValueError):
        return "not measured in this session"
    return (
        f"{minutes(max(span, 0.0))} from the start of the session to the end of its last run, "
        "measured (with pauses, if the session was resumed)"
    )


def disk(model: ReportModel, arms: Collection[str]) -> str:
    """Return the total size of these arms' images; shared layers count in each."""
    images = [image for arm, image in model.header.images.items() if arm in arms]
    if not images:
        return "images not built in this session"
    size = sum(image.size_bytes for image in images)
    return f"{gigabytes(size)} of images at most, measured (shared layers counted in each image)"


def memory(model: ReportModel, arms: Collection[str]) -> str:
    """Return the peak memory of any run of these arms, and the limit of all runs."""
    peaks = [
        row.rss_peak_bytes
        for row in model.costs
        if row.arm in arms and row.rss_peak_bytes is not None
    ]
    if not peaks:
        return f"not measured in this session; {memory_limit(model)}"
    peak = gigabytes(max(peaks))
    return f"{peak} of peak resident memory per run, measured; {memory_limit(model)}"


def memory_limit(model: ReportModel) -> str:
    """Return the memory limit of a run."""
    return f"limit per run: {gigabytes(model.header.plan.limits.memory_bytes)}"


def minutes(seconds: float) -> str:
    """Return a duration such as "12.5 minutes"."""
    return f"{fixed(seconds / 60, 1)} minutes"
