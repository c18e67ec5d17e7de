"""Statistics of runs and of pairs of runs: seconds in, ratios and intervals out.

The unit of replication is the run (one container): the fits of one process
share its memory layout, its caches and its moment on the host, so twenty of
them are one sample, not twenty. A run is reduced to one number per statistic,
and kit compares only those numbers, block by block.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev
from typing import TypeVar

from kit.errors import InputError
from kit.judge.looks import critical_t, fewest
from kit.plan.model import Looks
from kit.plan.roles import RoleName
from kit.records.record import Fit, Record
from kit.records.session import RunEntry

T = TypeVar("T")
CONFIDENCE = 0.95
"""Level of every interval, two-sided, unless a function says otherwise."""
_LOG_LIMIT = 700.0  # exp() of more overflows a double; no real ratio comes near


@dataclass(frozen=True)
class RunStatistics:
    """The statistics of one run. Seconds of wall time unless the name says otherwise."""

    run_id: str
    block: int
    position: int
    arm: str
    role: RoleName
    fits: int
    minimum: float
    maximum: float
    mean: float
    total: float
    """The sum over all fits of the run, including the cold first one, as published."""
    warm_median: float
    """Median of the fits without the cold first one; of a single fit, that fit."""
    cold: float
    """The first fit."""
    cpu: float | None
    """User plus system CPU seconds of a fit, reduced like ``warm_median``; None: not recorded."""


@dataclass(frozen=True)
class Interval:
    """A closed interval, low to high."""

    low: float
    high: float

    def within(self, low: float, high: float) -> bool:
        """Return whether all of the interval lies in the closed range from ``low`` to ``high``."""
        return low <= self.low and self.high <= high

    def overlaps(self, low: float, high: float) -> bool:
        """Return whether any part of the interval lies in the range from ``low`` to ``high``."""
        return self.low <= high and low <= self.high


@dataclass(frozen=True)
class Estimate:
    """A paired comparison: ratio baseline/contender over blocks, with its interval.

    ``ratio`` is the geometric mean; ``gain_percent`` is the same as a gain.
    ``sd_log`` is the SD of the log ratio between blocks. None: too few pairs.
    ``unrecorded``: blocks in which the statistic was not recorded.
    """

    statistic: str
    pairs: int
    ratio: float | None
    ratio_interval: Interval | None
    gain_percent: float | None
    gain_interval: Interval | None
    sd_log: float | None
    unrecorded: tuple[int, ...] = ()


@dataclass(frozen=True)
class NoFits:
    """A record without fits."""


@dataclass(frozen=True)
class TimeNotFinite:
    """A fit whose time is infinite or not a number."""

    fit: int
    wall_ns: float


@dataclass(frozen=True)
class TimeNotPositive:
    """A fit whose time is 0 or below."""

    fit: int
    wall_ns: float


Unusable = NoFits | TimeNotFinite | TimeNotPositive
"""Why a run's times cannot be used."""
_FIELDS: Mapping[str, str] = {
    "min": "minimum",
    "max": "maximum",
    "mean": "mean",
    "total": "total",
    "warm_median": "warm_median",
    "cold": "cold",
    "cpu": "cpu",
}


def value_of(run: RunStatistics, statistic: str) -> float | None:
    """Return a run's statistic by its name, in seconds; None: not recorded.

    Raise InputError for an unknown name.
    """
    if statistic not in _FIELDS:
        raise InputError(
            f"claims: statistic {statistic!r} is unknown", f"use one of {', '.join(_FIELDS)}"
        )
    value: float | None = getattr(run, _FIELDS[statistic])
    return value


def why_unusable(record: Record) -> Unusable | None:
    """Return why a run's times cannot be used, naming the fit; None when they can."""
    if not record.fits:
        return NoFits()
    for fit in record.fits:
        if not math.isfinite(fit.wall_ns):
            return TimeNotFinite(fit.index, fit.wall_ns)
        if fit.wall_ns <= 0:
            return TimeNotPositive(fit.index, fit.wall_ns)
    return None


def run_statistics(entry: RunEntry, record: Record) -> RunStatistics:
    """Return the statistics, in seconds, of a run whose record ``why_unusable`` accepts."""
    fits = in_order(record)
    walls = [fit.wall_ns / 1e9 for fit in fits]
    return RunStatistics(
        run_id=entry.run_id,
        block=entry.block,
        position=entry.position,
        arm=entry.arm,
        role=entry.role,
        fits=len(walls),
        minimum=min(walls),
        maximum=max(walls),
        mean=fmean(walls),
        total=math.fsum(walls),
        warm_median=median(warm(walls)),
        cold=walls[0],
        cpu=_cpu(fits),
    )


def in_order(record: Record) -> tuple[Fit, ...]:
    """Return the fits of a record by index, the cold one first."""
    return tuple(sorted(record.fits, key=lambda fit: fit.index))


def warm(values: Sequence[T]) -> Sequence[T]:
    """Return the values, one per fit, without the cold first one; a single value stays."""
    return values[1:] or values


def _cpu(fits: Sequence[Fit]) -> float | None:
    seconds = median(warm([(fit.user_ns + fit.system_ns) / 1e9 for fit in fits]))
    return seconds if math.isfinite(seconds) and seconds > 0 else None


def estimate(
    statistic: str,
    pairs: Sequence[tuple[float, float]],
    unrecorded: tuple[int, ...] = (),
    looks: Looks | None = None,
) -> Estimate:
    """Compare (baseline, contender) seconds, one pair per block.

    The interval is the textbook's paired t interval, on log(baseline/contender) because
    times are ratios, and exponentiated; with ``looks`` the repeated one, see
    ``kit.judge.looks``.
    """
    logs = [math.log(baseline) - math.log(contender) for baseline, contender in pairs]
    if not logs:
        return Estimate(statistic, 0, None, None, None, None, None, unrecorded)
    centre = fmean(logs)
    ratio = _exp(centre)
    number, percent = len(logs), gain_percent(ratio)
    spread = stdev(logs) if number > 1 else None
    if spread is None or number < fewest(looks):
        return Estimate(statistic, number, ratio, None, percent, None, spread, unrecorded)
    half = half_width(spread, number, looks=looks)
    bounds = Interval(_exp(centre - half), _exp(centre + half))
    gains = Interval(gain_percent(bounds.low), gain_percent(bounds.high))
    return Estimate(statistic, number, ratio, bounds, percent, gains, spread, unrecorded)


def gain_percent(ratio: float) -> float:
    """Return the gain in percent, 100 * (1 - 1/ratio), of a ratio baseline/contender of times."""
    return 100.0 * (1.0 - 1.0 / ratio)


def half_width(
    sd: float, pairs: int, confidence: float = CONFIDENCE, looks: Looks | None = None
) -> float:
    """Return half the two-sided t interval of a mean of that many values with that SD.

    With ``looks`` it is the repeated interval; raise ValueError for a number without a look.

    Student's quantile is taken from the inverse of the regularized incomplete beta function
    (M. Abramowitz and I. Stegun, "Handbook of Mathematical Functions", 26.7.1), which agrees
    between SciPy's versions to 1e-15; ``scipy.stats.t.ppf`` does to 3e-11 only.
    """
    from scipy.special import betaincinv

    if looks is not None:
        return critical_t(looks, pairs, 1 - confidence) * sd / math.sqrt(pairs)
    freedom = pairs - 1
    explained = float(betaincinv(0.5, freedom / 2, confidence))
    rest = float(betaincinv(freedom / 2, 0.5, 1 - confidence))
    return math.sqrt(freedom * explained / rest) * sd / math.sqrt(pairs)


def _exp(log: float) -> float:
    return math.exp(max(-_LOG_LIMIT, min(_LOG_LIMIT, log)))
