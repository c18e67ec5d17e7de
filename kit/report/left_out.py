"""The runs that do not count, each with the reason in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kit.judge.pairing import Exclusion
from kit.report.missing_words import exclusion


@dataclass(frozen=True)
class LeftOut:
    """A run, or a whole block, that does not count. Block -1: not of a block."""

    block: int
    arm: str
    run_id: str
    reason: str
    role: str


def excluded(exclusions: Sequence[Exclusion]) -> tuple[LeftOut, ...]:
    """Return the runs by block, arm, run and reason, those that read alike once."""
    rows = dict.fromkeys(
        LeftOut(e.block, e.arm, e.run_id, exclusion(e.reason), e.role) for e in exclusions
    )
    return tuple(sorted(rows, key=lambda row: (row.block, row.arm, row.run_id, row.reason)))
