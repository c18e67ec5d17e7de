"""The matrix of a workflow: runner, variant and block shard, as GitHub Actions reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from kit.errors import InputError
from kit.plan.shard import Shard
from kit.study.model import CPU, CUDA, Study

Labels = tuple[str, ...]
"""Of one runner: a job goes to a runner that has them all."""
MOST_JOBS = 256
"""GitHub runs no larger matrix ("Running variations of jobs in a workflow")."""


def matrix(
    study: Study, runners: Sequence[Labels], gpu_runners: Sequence[Labels], shards: int, blocks: int
) -> str:
    """One line of JSON: an ``include`` row a runner and shard.

    Runners of ``gpu_runners`` run the CUDA arms too, others never do. ``group`` and ``name``
    can be parts of a path and of an artifact's name whatever the label is. Raises InputError
    for more shards than blocks, labels that cannot be told apart, or more rows than a matrix
    may have.
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
    if len(rows) > MOST_JOBS:
        raise InputError(
            f"a matrix of {len(rows)} jobs, at most {MOST_JOBS} are possible",
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
