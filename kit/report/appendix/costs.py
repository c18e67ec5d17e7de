"""What was measured of a session's own cost: minutes, disk and memory."""

from __future__ import annotations

from collections.abc import Collection

from kit.measure.session import Session, moment
from kit.report.model import ReportModel
from kit.report.numbers import fixed, gigabytes

HUMAN_MINUTES = 5
"""An estimate, and said to be one: a command to start, a page to read."""
HUMAN = f"{HUMAN_MINUTES} minutes (an estimate: one command to start, one page to read)"


def compute(session: Session, arms: Collection[str]) -> str:
    """The containers of these arms, by the engine's own times; failed ones count."""
    entries = [entry for entry in session.entries if entry.arm in arms]
    seconds = [entry.seconds for entry in entries if entry.seconds is not None]
    if not seconds:
        return "not measured in this session"
    unknown = len(entries) - len(seconds)
    text = f"{minutes(sum(seconds))} in {len(seconds)} containers, as measured in this session"
    return f"{text} ({unknown} more without a time)" if unknown else text


def whole(session: Session) -> str:
    """From the session's start to the end of its last container."""
    try:
        start = moment(session.header.created)
        ends = [moment(entry.finished_at) for entry in session.entries]
        span = (max(ends) - start).total_seconds()
    except (TypeError, ValueError):
        return "not measured in this session"
    return (
        f"{minutes(max(span, 0.0))} from the session's start to the end of its last run, as "
        "measured (with the pauses, if it was resumed)"
    )


def disk(model: ReportModel, arms: Collection[str]) -> str:
    """The images of these arms; layers that they share are counted in each."""
    images = [image for arm, image in model.header.images.items() if arm in arms]
    if not images:
        return "no image of it was built in this session"
    size = sum(image.size_bytes for image in images)
    return f"{gigabytes(size)} of images at most, as measured (shared layers counted in each)"


def memory(model: ReportModel, arms: Collection[str]) -> str:
    """The peak of any run beside the limit that all had."""
    peaks = [
        row.rss_peak_bytes
        for row in model.costs
        if row.arm in arms and row.rss_peak_bytes is not None
    ]
    limit = f"the limit of a run was {gigabytes(model.header.plan.limits.memory_bytes)}"
    if not peaks:
        return f"not measured in this session; {limit}"
    return f"{gigabytes(max(peaks))} resident at the peak of a run, as measured; {limit}"


def minutes(seconds: float) -> str:
    """Such as "12.5 minutes"."""
    return f"{fixed(seconds / 60, 1)} minutes"
