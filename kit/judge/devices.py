"""CPU against GPU within a stack, which no claim of the paper compares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kit.judge.pairing import estimate_over, pair_blocks
from kit.judge.statistics import Estimate, RunStatistics
from kit.plan.model import Looks
from kit.plan.roles import MAIN
from kit.study.model import CPU, CUDA, Study, by_stack_and_variant


@dataclass(frozen=True)
class DeviceRatio:
    """The comparison of one stack's CPU arm with its CUDA arm.

    ``estimate`` is of the ratio cpu/cuda of warm medians over the blocks that
    hold a usable main run of both: above 1 the GPU is faster.
    """

    stack: str
    cpu: str
    cuda: str
    estimate: Estimate


def device_ratios(
    runs: Sequence[RunStatistics], arms: Sequence[str], study: Study, looks: Looks | None = None
) -> tuple[DeviceRatio, ...]:
    """Return one ratio per stack of which ``arms`` has both. ``runs`` are the usable ones.

    With ``looks`` its interval is the repeated one. Raise InputError for two arms of the same
    stack and variant.
    """
    planned = by_stack_and_variant((study.arms[name] for name in arms), "the plan")
    stacks = dict.fromkeys(study.arms[name].stack for name in arms)
    return tuple(
        DeviceRatio(
            stack=stack,
            cpu=planned[stack, CPU].name,
            cuda=planned[stack, CUDA].name,
            estimate=_over_blocks(runs, planned[stack, CPU].name, planned[stack, CUDA].name, looks),
        )
        for stack in stacks
        if (stack, CPU) in planned and (stack, CUDA) in planned
    )


def _over_blocks(
    runs: Sequence[RunStatistics], cpu: str, cuda: str, looks: Looks | None
) -> Estimate:
    blocks, _ = pair_blocks(runs, (cpu, MAIN), (cuda, MAIN))
    return estimate_over("warm_median", blocks, looks)
