"""What a fit cost besides wall time: CPU seconds, page faults, memory growth."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from kit.judge.statistics import in_order, warm
from kit.plan.model import TIMED
from kit.records.record import Record
from kit.records.session import Session


@dataclass(frozen=True)
class FitCost:
    """One arm: the mean over its runs of each run's median fit, the cold one left out.

    ``rss_growth_bytes`` is the growth of resident memory from one fit to the
    next, so it counts what was kept between fits too; ``rss_peak_bytes`` is the
    largest seen after any fit. ``clock_gap_s`` is the largest difference between
    the paper's clock and the monotonic one in any fit. None: not measurable.
    """

    arm: str
    runs: int
    wall_s: float | None
    user_s: float | None
    system_s: float | None
    minor_faults: float | None
    rss_growth_bytes: float | None
    rss_peak_bytes: int | None
    clock_gap_s: float | None


def fit_costs(session: Session, counted: Collection[str]) -> tuple[FitCost, ...]:
    """The cost of a fit per arm, over the timed runs that stand and whose ids are ``counted``."""
    runs = [entry for entry in session.standing() if entry.kind == TIMED]
    rows = []
    for arm in session.header.plan.arms:
        records = [
            entry.record
            for entry in runs
            if entry.arm == arm and entry.run_id in counted and entry.record is not None
        ]
        rows.append(_cost(arm, records))
    return tuple(rows)


def _cost(arm: str, records: Sequence[Record]) -> FitCost:
    fits = [in_order(record) for record in records]
    gaps = [abs(f.paper_clock_s - f.wall_ns / 1e9) for run in fits for f in run]
    return FitCost(
        arm=arm,
        runs=len(records),
        wall_s=_mean([median(warm([f.wall_ns / 1e9 for f in run])) for run in fits]),
        user_s=_mean([median(warm([f.user_ns / 1e9 for f in run])) for run in fits]),
        system_s=_mean([median(warm([f.system_ns / 1e9 for f in run])) for run in fits]),
        minor_faults=_mean([median(warm([float(f.minor_faults) for f in run])) for run in fits]),
        rss_growth_bytes=_mean(
            [
                (run[-1].rss_after_bytes - run[0].rss_after_bytes) / (len(run) - 1)
                for run in fits
                if len(run) > 1
            ]
        ),
        rss_peak_bytes=max((f.rss_after_bytes for run in fits for f in run), default=None),
        clock_gap_s=max((gap for gap in gaps if math.isfinite(gap)), default=None),
    )


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
