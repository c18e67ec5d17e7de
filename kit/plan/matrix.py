"""The matrix of a workflow: runner, variant and block shard, as GitHub Actions reads it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from kit.errors import InputError
from kit.plan.shard import Shard
from kit.study.model import Study

MOST_JOBS = 256
"""GitHub runs no larger matrix ("Running variations of jobs in a workflow")."""


def matrix(
    study: Study, runners: Sequence[str], gpu_runners: Sequence[str], shards: int, blocks: int
) -> str:
    """One line of JSON: an ``include`` row a runner and shard.

    Runners of ``gpu_runners`` run the CUDA arms too, others never do. Raises InputError
    for more shards than blocks, or more rows than a matrix may have.
    """
    if shards > blocks:
        raise InputError(
            f"--shards: {shards} for {blocks} blocks: some would have nothing to do",
            f"give at most {blocks}",
        )
    rows = [
        {
            "runner": runner,
            "variant": "cuda" if gpu else "cpu",
            "gpu": "--gpu" if gpu else "",
            "group": f"{runner}-{'cuda' if gpu else 'cpu'}",
            "shard": str(Shard(number, shards)),
            "name": f"{runner}-{'cuda' if gpu else 'cpu'}-{number}",
        }
        for runner, gpu in (*((r, False) for r in runners), *((r, True) for r in gpu_runners))
        for number in range(1, shards + 1)
    ]
    if not rows or len(rows) > MOST_JOBS:
        raise InputError(
            f"a matrix of {len(rows)} jobs, 1 to {MOST_JOBS} are possible",
            "name a --runner, or fewer --shards",
        )
    if any(gpu_runners) and not any(arm.variant == "cuda" for arm in study.arms.values()):
        raise InputError(f"study {study.id} has no CUDA arm", "leave out --gpu-runner")
    return json.dumps({"include": rows}, sort_keys=True)
