"""Cost of a fit: wall time and CPU seconds, page faults, memory growth."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from kit.judge.statistics import in_order, warm
from kit.plan.model import TIMED
from kit.records.record import Record
from kit.records.session import Session


@dataclass(frozen=True)
class FitNumbers:
    """Medians over a run's fits without the cold one; seconds, counts and bytes.

    ``inner_s``, of probe runs only, is the part of the call inside the library.
    ``rss_growth_bytes`` is the mean growth from one fit to the next; 0 with a single fit.
    ``cold_s`` is the first fit.
    """

    wall_s: float
    user_s: float
    system_s: float
    faults: float
    rss_growth_bytes: float
    cold_s: float
    inner_s: float | None


@dataclass(frozen=True)
class ResourceUsage:
    """The cost of one arm: means over its runs of each run's median fit without the cold one.

    ``rss_growth_bytes`` is the growth of resident memory from one fit to the
    next, so it includes memory kept between fits; ``rss_peak_bytes`` is the
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


def fit_numbers(record: Record) -> FitNumbers:
    """Return the medians of one run's fits, without the cold one, as one set of numbers."""
    fits = in_order(record)

    def middle(values: Sequence[float]) -> float:
        return median(warm(list(values)))

    inner = [fit.inner_ns / 1e9 for fit in fits if fit.inner_ns is not None and fit.inner_ns >= 0]
    growth = [b.rss_after_bytes - a.rss_after_bytes for a, b in itertools.pairwise(fits)]
    return FitNumbers(
        wall_s=middle([fit.wall_ns / 1e9 for fit in fits]),
        user_s=middle([fit.user_ns / 1e9 for fit in fits]),
        system_s=middle([fit.system_ns / 1e9 for fit in fits]),
        faults=middle([float(fit.minor_faults) for fit in fits]),
        rss_growth_bytes=fmean(growth) if growth else 0.0,
        cold_s=fits[0].wall_ns / 1e9,
        inner_s=middle(inner) if len(inner) == len(fits) else None,
    )


def fit_costs(session: Session, counted: Collection[str]) -> tuple[ResourceUsage, ...]:
    """Return the cost of a fit per arm, over the valid timed runs with an id in ``counted``."""
    runs = [entry for entry in session.valid_entries() if entry.kind == TIMED]
    rows = []
    for arm in session.header.plan.arms:
        records = [
            entry.record
            for entry in runs
            if entry.arm == arm and entry.run_id in counted and entry.record is not None
        ]
        rows.append(_cost(arm, records))
    return tuple(rows)


def _cost(arm: str, records: Sequence[Record]) -> ResourceUsage:
    runs = [fit_numbers(record) for record in records]
    growing = [run for run, record in zip(runs, records, strict=True) if len(record.fits) > 1]
    fits = [fit for record in records for fit in record.fits]
    gaps = [abs(fit.paper_clock_s - fit.wall_ns / 1e9) for fit in fits]
    return ResourceUsage(
        arm=arm,
        runs=len(records),
        wall_s=_mean([run.wall_s for run in runs]),
        user_s=_mean([run.user_s for run in runs]),
        system_s=_mean([run.system_s for run in runs]),
        minor_faults=_mean([run.faults for run in runs]),
        rss_growth_bytes=_mean([run.rss_growth_bytes for run in growing]),
        rss_peak_bytes=max((fit.rss_after_bytes for fit in fits), default=None),
        clock_gap_s=max((gap for gap in gaps if math.isfinite(gap)), default=None),
    )


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
