"""Shards, which divide a plan's blocks among machines, and a workflow's matrix of them.

A block is never split, so every ratio is from one machine. Every shard has the identity
runs, so that they show the same work on each machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kit.errors import InputError
from kit.plan.model import PlannedRun
from kit.study.model import CPU, CUDA, Study


@dataclass(frozen=True)
class Shard:
    """Shard ``number`` (counted from 1) of ``of`` shards, which divide a plan's blocks."""

    number: int
    of: int

    def __str__(self) -> str:
        """Return it in the form of --shard."""
        return f"{self.number}/{self.of}"

    def holds(self, run: PlannedRun) -> bool:
        """Return whether the run belongs to this shard."""
        return run.block < 0 or run.block % self.of == self.number - 1


def parse_shard(text: str) -> Shard:
    """Return the shard of a text such as "2/4". Raises InputError for other text."""
    found = re.fullmatch(r"(\d{1,3})/(\d{1,3})", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise InputError(
            f"--shard: {text!r} is not a shard", "give the number and how many there are, e.g. 1/4"
        )
    return Shard(int(found[1]), int(found[2]))


def refuse_empty(shard: Shard | None, blocks: int) -> None:
    """Raise InputError for a shard of a plan with fewer ``blocks`` than shards.

    Some of the shards would have only identity runs, and kit could not merge the set.
    """
    if shard is not None and shard.of > blocks:
        raise InputError(
            f"--shard: {shard} of a plan of {blocks} blocks: some shards would have none",
            f"make at most {blocks} shards, or give more --blocks",
        )


def runs_in_shard(runs: Iterable[PlannedRun], shard: Shard | None) -> tuple[PlannedRun, ...]:
    """Return the runs of a plan that belong to a shard; all for None."""
    return tuple(run for run in runs if shard is None or shard.holds(run))


Labels = tuple[str, ...]
"""Labels of one runner: GitHub sends a job to a runner that has all of them."""
MAX_JOBS = 256
"""Maximum of a matrix on GitHub ("Running variations of jobs in a workflow")."""


def github_matrix(
    study: Study, runners: Sequence[Labels], gpu_runners: Sequence[Labels], shards: int, blocks: int
) -> str:
    """Return one line of JSON for GitHub Actions: one ``include`` row per runner and shard.

    Runners of ``gpu_runners`` run the CUDA arms too, others never do. ``group`` and ``name``
    are valid in paths and artifact names for any label. Raises InputError for more shards than
    blocks, labels that give no name or two runners the same, no row or more rows than a matrix
    may have, and for ``gpu_runners`` without a CUDA arm.
    """
    if shards > blocks:
        raise InputError(
            f"--shards: {shards} for {blocks} blocks: some would have nothing to do",
            f"give at most {blocks}",
        )
    wanted = (*((r, CPU) for r in runners), *((r, CUDA) for r in gpu_runners))
    groups = [_group(runner, variant) for runner, variant in wanted]
    twice = next((group for group in groups if groups.count(group) > 1), None)
    if twice is not None:
        raise InputError(f"two runners would both be called {twice}", "name each runner once")
    rows = [
        {
            "runner": runner[0] if len(runner) == 1 else runner,
            "variant": variant,
            "gpu": "--gpu" if variant == CUDA else "",
            "group": group,
            "shard": str(Shard(number, shards)),
            "name": f"{group}-{number}",
        }
        for (runner, variant), group in zip(wanted, groups, strict=True)
        for number in range(1, shards + 1)
    ]
    if not rows:
        raise InputError("a matrix without a job", "name a --runner or a --gpu-runner")
    if len(rows) > MAX_JOBS:
        raise InputError(
            f"a matrix of {len(rows)} jobs, at most {MAX_JOBS} are possible",
            "name fewer runners, or fewer --shards",
        )
    if gpu_runners and not any(arm.variant == CUDA for arm in study.arms.values()):
        raise InputError(f"study {study.id} has no CUDA arm", "leave out --gpu-runner")
    return json.dumps({"include": rows}, sort_keys=True)


def _group(runner: Labels, variant: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", " ".join(runner)).strip("-.")
    if not plain:
        raise InputError(f"a runner is called {' '.join(runner)!r}", "give the label of one")
    return f"{plain}-{variant}"
