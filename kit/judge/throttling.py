"""CPU limits that others set on the containers of a session, and what they did to its arms.

kit gives containers CPUs (a cpuset) and never a quota, so throttling always comes from
outside: a cgroup manager, a scheduler, ``docker update``. It may hit one arm alone, as no
disturbance that comes by chance does, and then no number of blocks averages it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kit.judge.pairing import PairedBlock
from kit.records.record import Record
from kit.records.session import Session

UNEQUAL_SHARE = 0.01
"""CPU seconds per timed second by which arms may be throttled differently: half of the 2 %
that count as equal, so that less can turn no verdict alone."""


@dataclass(frozen=True)
class ThrottledArm:
    """How much an arm was throttled: CPU seconds per timed second, over all its runs."""

    arm: str
    share: float


def throttled_us(record: Record | None) -> int:
    """Return how long the run's container was throttled, in CPU microseconds; 0 if unknown."""
    return 0 if record is None or record.cgroup is None else record.cgroup.throttled_us


def unequal(session: Session, blocks: Sequence[PairedBlock]) -> tuple[ThrottledArm, ...]:
    """Return how the two arms of these blocks were throttled; () where they were alike.

    An arm whose program records no throttling counts as one without any.
    """
    records = {entry.run_id: entry.record for entry in session.valid_entries()}
    shares = {
        runs[0].arm: _share(records.get(run.run_id) for run in runs)
        for runs in ([b.baseline for b in blocks], [b.contender for b in blocks])
        if runs
    }
    if not shares or max(shares.values()) - min(shares.values()) <= UNEQUAL_SHARE:
        return ()
    return tuple(ThrottledArm(arm, share) for arm, share in shares.items())


def _share(records: Iterable[Record | None]) -> float:
    """CPU seconds throttled per timed second, over all runs."""
    known = [record for record in records if record is not None]
    timed_us = sum(fit.wall_ns for record in known for fit in record.fits) / 1000
    return sum(map(throttled_us, known)) / timed_us if timed_us else 0.0
