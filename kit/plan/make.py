"""Making a plan: randomised blocks within a budget, memory and time allowed for.

Pure: the same inputs give the same plan on any machine.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace

from rich.filesize import decimal

from kit.errors import HostError, InputError
from kit.plan.blocks import BlockMaker, run_seconds, steps_of
from kit.plan.coherent import planned_once
from kit.plan.model import (
    AUTO,
    DUET,
    FEWER_REPEATS,
    MOST_BLOCKS,
    NO_PILOT,
    SEQUENTIAL,
    Bounds,
    Limits,
    Note,
    Plan,
    PlannedRun,
)
from kit.plan.notes import refusal_text
from kit.plan.resources import Resources, memory_of_a_run, refuse_duet
from kit.plan.roles import MAIN
from kit.study.model import CUDA, Protocol, Study, Tier, by_stack_and_variant

MINUTES = re.compile(r"(\d{1,4})m")  # up to a week
PILOT_BLOCKS = 5
"""Of a budget in minutes; a tier says its own."""
LEAST_AFTER_PILOT = 6
"""Judged blocks: with fewer an exact permutation test cannot fall below 5 % (2 / 2^6)."""


def make_plan(
    study: Study,
    budget: str,
    arms: Sequence[str],
    seed: int,
    resources: Resources,
    gpu: bool = False,
    *,
    design: str = SEQUENTIAL,
    blocks: int | None = None,
) -> Plan:
    """The plan for a budget: a tier's name, or minutes such as "20m".

    Without names all ``arms`` are planned, the CUDA ones only if ``gpu``. With a number
    of ``blocks`` there is no pilot. Raises InputError for an unknown budget or arm,
    HostError when the memory does not allow even the fewest repeats that the study
    accepts, or the machine allows no duet.
    """
    chosen = _comparable_arms(study, arms, gpu)
    design, why = _design(study, chosen, design, resources)
    tier, limits, notes = _tier_in_memory(study, budget, resources, design)
    maker = BlockMaker(study, chosen, (MAIN, *tier.controls), tier.repeats, seed, limits)
    if design != SEQUENTIAL and not maker.can_pair:
        raise InputError(
            f"--design: {design} runs both stacks of a variant side by side, the plan has one",
            "name arms of both stacks, or use --design sequential",
        )
    tier, minutes = _with_blocks(maker, tier, budget, design, blocks)
    if design == AUTO and tier.pilot is None:
        design, why = SEQUENTIAL, (*why, Note(NO_PILOT))
    maker = replace(maker, roles=(MAIN, *tier.controls))
    return planned_once(_plan(maker, tier, minutes, design, (*notes, *why)))


def _plan(
    maker: BlockMaker, tier: Tier, minutes: int | None, design: str, notes: tuple[Note, ...]
) -> Plan:
    """Return the plan of the identity runs and the tier's pilot, or its blocks without one."""
    first, count = (maker.piloting(), tier.pilot) if tier.pilot else (maker, tier.blocks)
    return Plan(
        study_id=maker.study.id,
        study_sha256=maker.study.sha256,
        tier=tier.name,
        seed=maker.seed,
        arms=tuple(maker.arms),
        blocks=0 if tier.pilot else tier.blocks,
        repeats=maker.repeats,
        limits=maker.limits,
        runs=(*maker.identity(), *_blocks(first, design, count)),
        notes=notes,
        design=design,
        roles=tuple(maker.roles),
        pilot=tier.pilot or 0,
        bounds=Bounds(tier.blocks, tier.power, minutes) if tier.pilot else None,
    )


def grown(study: Study, plan: Plan, design: str, blocks: int) -> Plan:
    """The plan of a pilot with so many blocks of that design after it."""
    maker = maker_of(study, plan)
    number = max((run.block for run in plan.runs), default=-1) + 1
    more = [maker.block(number + turn, design, turn) for turn in range(blocks)]
    runs = (*plan.runs, *(run for block in more for run in block))
    return planned_once(replace(plan, design=design, blocks=blocks, runs=runs))


def maker_of(study: Study, plan: Plan) -> BlockMaker:
    """What makes the plan's blocks."""
    return BlockMaker(study, plan.arms, plan.roles, plan.repeats, plan.seed, plan.limits)


def plan_sha256(plan: Plan) -> str:
    """Hash of everything in the plan but its notes, in canonical JSON.

    Notes say why it is as it is, on a machine with so much memory.
    """
    planned = {**vars(plan), "notes": ()}
    text = json.dumps(planned, sort_keys=True, separators=(",", ":"), default=vars)
    return hashlib.sha256(text.encode()).hexdigest()


def expected_seconds(study: Study, runs: Sequence[PlannedRun]) -> float:
    """Rough duration of these runs, from the study's own cost figures."""
    # Of a pair, run together, the longer one takes the time.
    return sum(
        max(run_seconds(study, run.repeats, run.role) for run in step) for step in steps_of(runs)
    )


def chosen_arms(study: Study, names: Sequence[str], gpu: bool = False) -> tuple[str, ...]:
    """Those arms of the study; without names all of them, the CUDA ones only if ``gpu``.

    Raises InputError.
    """
    known = ", ".join(study.arms)
    for name in names:
        if name not in study.arms:
            raise InputError(f"--arms: no arm is called {name!r}", f"use some of: {known}")
    if len(set(names)) != len(names):
        raise InputError("--arms: an arm is named twice", f"name each once: {known}")
    return tuple(names) or tuple(n for n in study.arms if gpu or n not in cuda_arms(study, ()))


def cuda_arms(study: Study, names: Sequence[str]) -> tuple[str, ...]:
    """The CUDA arms among those names; of the whole study where none is named."""
    return tuple(name for name in names or study.arms if study.arms[name].variant == CUDA)


def _comparable_arms(study: Study, names: Sequence[str], gpu: bool) -> tuple[str, ...]:
    """Return the arms of those names, no two of which take the same place in a comparison."""
    chosen = chosen_arms(study, names, gpu)
    by_stack_and_variant((study.arms[name] for name in chosen), f"study {study.id}")
    _check_gpu(study, chosen, gpu)
    return chosen


def _check_gpu(study: Study, chosen: Sequence[str], gpu: bool) -> None:
    """CUDA arms are planned where a GPU was asked for, and only there."""
    cuda = tuple(name for name in chosen if study.arms[name].variant == CUDA)
    if cuda and not gpu:
        raise InputError(
            f"--arms: {', '.join(cuda)} needs a GPU, which was not asked for",
            "add --gpu, or name CPU arms only",
        )
    if gpu and not cuda:
        raise InputError(
            "--gpu: no CUDA arm is among the arms asked for",
            "leave out --gpu, or name a CUDA arm: " + ", ".join(cuda_arms(study, ())),
        )


def _design(
    study: Study, arms: Sequence[str], wanted: str, resources: Resources
) -> tuple[str, tuple[Note, ...]]:
    """The design that can be had, and a note where it is not the one that was wished.

    Raises HostError where duet blocks are wished for and cannot be.
    """
    if wanted == SEQUENTIAL:
        return SEQUENTIAL, ()
    on_gpu = any(study.arms[name].variant == CUDA for name in arms)
    refusal = refuse_duet(resources, study.protocol, on_gpu)
    if refusal is None:
        return wanted, ()
    if wanted == DUET:
        why = refusal_text(refusal, resources.cpuset)
        raise HostError(f"--design duet: {why}", "use --design sequential")
    return SEQUENTIAL, (refusal,)


def _blocks(maker: BlockMaker, design: str, count: int) -> tuple[PlannedRun, ...]:
    """The first blocks; of both designs in turn while it is open which one to take."""
    designs = (SEQUENTIAL, DUET) if design == AUTO else (design,)
    kinds = [(kind, turn) for turn in range(count) for kind in designs]
    blocks = (maker.block(number, kind, turn) for number, (kind, turn) in enumerate(kinds))
    return tuple(run for block in blocks for run in block)


def _tier(study: Study, budget: str) -> Tier:
    tiers = study.protocol.tiers
    if budget in tiers:
        return tiers[budget]
    if not MINUTES.fullmatch(budget):
        raise InputError(
            f"--budget: {budget!r} is neither a tier nor minutes",
            f"use {', '.join(tiers)}, or e.g. 20m",
        )
    # The container is the unit of replication: a further block tells more than
    # further fits in the same containers.
    least = min(tiers.values(), key=lambda tier: tier.repeats)
    controls = dict.fromkeys(name for tier in tiers.values() for name in tier.controls)
    return Tier(budget, 0, least.repeats, tuple(controls), PILOT_BLOCKS)


def _tier_in_memory(
    study: Study, budget: str, resources: Resources, design: str
) -> tuple[Tier, Limits, tuple[Note, ...]]:
    """Return the tier with the repeats that memory allows, the limits of a run, and notes."""
    tier = _tier(study, budget)
    memory = memory_of_a_run(resources, design)
    repeats, notes = _repeats_in_memory(study.protocol, tier.repeats, memory)
    limits = Limits(resources.cpuset, memory, study.protocol.run_timeout_s, resources.halves)
    return replace(tier, repeats=repeats), limits, notes


def _with_blocks(
    maker: BlockMaker, tier: Tier, budget: str, design: str, blocks: int | None
) -> tuple[Tier, int | None]:
    """Return the tier with its number of blocks, and the minutes that bound it, if any do.

    ``blocks`` is the number that was asked for: there is no pilot then.
    """
    if tier.pilot and not maker.can_pair:
        # Nothing is compared, so there is no spread to plan by.
        tier = replace(tier, blocks=tier.pilot if tier.blocks else 0, pilot=None)
    tier, minutes = _in_time(maker, tier, budget, design)
    if blocks is not None:
        return replace(tier, blocks=blocks, pilot=None), None
    return tier, minutes


def _in_time(maker: BlockMaker, tier: Tier, budget: str, design: str) -> tuple[Tier, int | None]:
    """A budget in minutes holds so many blocks; with few of them there is no pilot."""
    if tier.blocks:
        return tier, None
    minutes = int(budget.removesuffix("m"))
    left = minutes * 60 - maker.identity_seconds()
    kinds = (SEQUENTIAL, DUET) if design == AUTO else (design,)
    if tier.pilot is None:
        return _few_blocks(maker, tier, minutes, left, design)
    pilot_s = sum(maker.piloting().seconds(kind) for kind in kinds) * PILOT_BLOCKS
    block_s = max(maker.seconds(kind) for kind in kinds)
    if left >= pilot_s + LEAST_AFTER_PILOT * block_s:
        return replace(tier, blocks=_fitting(left - pilot_s, block_s)), minutes
    return _few_blocks(maker, tier, minutes, left, design)


def _few_blocks(
    maker: BlockMaker, tier: Tier, minutes: int, left: float, design: str
) -> tuple[Tier, int | None]:
    """As many as there is time for, with the controls of the smallest tier."""
    least = min(maker.study.protocol.tiers.values(), key=lambda tier: len(tier.controls))
    maker = replace(maker, roles=(MAIN, *least.controls))
    block_s = maker.seconds(DUET if design == DUET else SEQUENTIAL)
    blocks = _fitting(left, block_s)
    if blocks < 2:
        needed = -(-(maker.identity_seconds() + 2 * block_s) // 60)
        raise InputError(
            f"--budget: {minutes} minutes do not hold two blocks of the study",
            f"give at least {needed:.0f}m, or fewer --arms",
        )
    return replace(tier, blocks=blocks, controls=least.controls, pilot=None), minutes


def _fitting(seconds: float, block_s: float) -> int:
    """Return the blocks that so much time holds; a study's word of their cost may be a joke."""
    return int(min(seconds // block_s, MOST_BLOCKS))


def _repeats_in_memory(
    protocol: Protocol, wanted: int, available: int
) -> tuple[int, tuple[Note, ...]]:
    need = protocol.memory
    if need.of(wanted) <= available:
        return wanted, ()
    possible = (available - need.base_bytes) // max(need.per_repeat_bytes, 1)
    if possible < protocol.minimum_repeats:
        raise HostError(
            f"memory: {decimal(need.of(protocol.minimum_repeats))} are needed for "
            f"{protocol.minimum_repeats} repeats a run, {decimal(available)} can be had",
            "free memory, raise --memory, or use a larger machine",
        )
    return possible, (Note(FEWER_REPEATS, wanted, need.of(wanted), available),)
