"""The plan of an explanation: runs of the same work, each with one thing changed."""

from __future__ import annotations

from rich.filesize import decimal

from kit.errors import InputError
from kit.plan.blocks import BlockMaker
from kit.plan.coherent import refuse_duplicate_runs
from kit.plan.make import chosen_arms
from kit.plan.model import ALTERNATING, EXPLAIN, Limits, Plan
from kit.plan.roles import MAIN, roles_named
from kit.study.model import CPU, Study, by_stack_and_variant

BLOCKS, REPEATS = 3, 4
"""Defaults of an explanation."""


def explaining_plan(
    study: Study, limits: Limits, seed: int, blocks: int = BLOCKS, repeats: int = REPEATS
) -> Plan:
    """Return the plan of main runs and of the study's roles that change one thing.

    It has CPU arms only. Raises InputError where the study has no pair of CPU arms, or
    so many repeats need more memory than a run has.
    """
    arms = tuple(name for name in chosen_arms(study, ()) if study.arms[name].variant == CPU)
    by_stack_and_variant((study.arms[name] for name in arms), f"study {study.id}")
    needed = study.protocol.memory.of(repeats)
    if needed > limits.memory_bytes:
        raise InputError(
            f"--repeats: {repeats} need {decimal(needed)} of memory, a run has "
            f"{decimal(limits.memory_bytes)}",
            "give fewer --repeats",
        )
    maker = BlockMaker(
        study, arms, (MAIN, *roles_named(study.protocol.explain)), repeats, seed, limits
    )
    if not maker.can_pair:
        raise InputError(
            f"study {study.id}: no two CPU arms to compare", "explain a study that has them"
        )
    made = [maker.block(number, ALTERNATING, number) for number in range(blocks)]
    plan = Plan(
        study_id=study.id,
        study_sha256=study.sha256,
        tier="explain",
        seed=seed,
        arms=arms,
        blocks=blocks,
        repeats=repeats,
        limits=limits,
        runs=(*maker.identity(), *(run for block in made for run in block)),
        notes=(),
        roles=maker.roles,
        purpose=EXPLAIN,
    )
    return refuse_duplicate_runs(plan)
