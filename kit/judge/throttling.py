"""Throttling of a session's containers by CPU limits that kit did not set.

kit gives containers CPUs (a cpuset) and never a quota, so throttling always comes from
outside: a cgroup manager, a scheduler, ``docker update``. Unlike random disturbances it may
hit only one arm, and then no number of blocks averages it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kit.judge.pairing import PairedBlock
from kit.records.record import Record
from kit.records.session import Session

UNEQUAL_SHARE = 0.01
"""CPU seconds per timed second by which arms may be throttled differently: half of the 2 %
that count as equal, so that a smaller difference cannot change a verdict by itself."""


@dataclass(frozen=True)
class ThrottledArm:
    """The throttling of an arm: CPU seconds per timed second, over its runs in the blocks."""

    arm: str
    share: float


def throttled_us(record: Record | None) -> int:
    """Return how long the run's container was throttled, in CPU microseconds; 0 if unknown."""
    return 0 if record is None or record.cgroup is None else record.cgroup.throttled_us


def unequal_throttling(session: Session, blocks: Sequence[PairedBlock]) -> tuple[ThrottledArm, ...]:
    """Return the throttling of the two arms of these blocks; () if it is about equal.

    An arm whose program does not record throttling counts as not throttled.
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
    """Return the CPU seconds throttled per timed second, over all runs."""
    known = [record for record in records if record is not None]
    timed_us = sum(fit.wall_ns for record in known for fit in record.fits) / 1000
    return sum(map(throttled_us, known)) / timed_us if timed_us else 0.0
