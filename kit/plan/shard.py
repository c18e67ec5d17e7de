"""Shards: one plan, its blocks made on several machines.

A block is never split, so every ratio is of one machine. All shards make the identity
runs: what they prove is proven on each machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from kit.errors import InputError
from kit.plan.model import PlannedRun


@dataclass(frozen=True)
class Shard:
    """The ``number``-th of so many, counted from 1."""

    number: int
    of: int

    def __str__(self) -> str:
        """As --shard takes it."""
        return f"{self.number}/{self.of}"

    def holds(self, run: PlannedRun) -> bool:
        """Whether the run is made in this shard."""
        return run.block < 0 or run.block % self.of == self.number - 1


def parse_shard(text: str) -> Shard:
    """The shard of "2/4". Raises InputError."""
    found = re.fullmatch(r"(\d{1,3})/(\d{1,3})", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise InputError(
            f"--shard: {text!r} is no shard", "give the number and how many there are, e.g. 1/4"
        )
    return Shard(int(found[1]), int(found[2]))


def refuse_empty(shard: Shard | None, blocks: int) -> None:
    """Raise InputError for a shard of a plan with fewer ``blocks`` than shards.

    Some of the shards would hold identity runs alone, and the set could not be merged.
    """
    if shard is not None and shard.of > blocks:
        raise InputError(
            f"--shard: {shard} of a plan of {blocks} blocks: some shards would have none",
            f"make at most {blocks} shards, or give more --blocks",
        )


def of_shard(runs: Iterable[PlannedRun], shard: Shard | None) -> tuple[PlannedRun, ...]:
    """The runs of a plan that a shard makes; all without one."""
    return tuple(run for run in runs if shard is None or shard.holds(run))
