"""Making a plan: randomised blocks within a budget and the available memory.

Pure: the same inputs give the same plan on any machine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace

from rich.filesize import decimal

from kit.errors import HostError, InputError
from kit.plan.blocks import BlockMaker, designs_of, run_seconds, steps_of
from kit.plan.budget import LOOKS, Extent, Sizing, extent_of, tier_of
from kit.plan.coherent import refuse_duplicate_runs
from kit.plan.model import (
    ALTERNATING,
    AUTO,
    DUET,
    FEWER_REPEATS,
    FORM,
    NO_PILOT,
    SIZE,
    Bounds,
    Design,
    Limits,
    Note,
    Plan,
    PlannedRun,
    Until,
    in_form,
    plan_document,
)
from kit.plan.resources import Resources, memory_of_a_run, refusal_text, refuse_duet
from kit.plan.roles import MAIN, roles_named
from kit.study.model import CUDA, Protocol, Study, Tier, by_stack_and_variant


def make_plan(
    study: Study,
    budget: str,
    arms: Sequence[str],
    seed: int,
    resources: Resources,
    gpu: bool = False,
    *,
    design: Design = ALTERNATING,
    blocks: int | None = None,
    sizing: Sizing = LOOKS,
    until: Until = SIZE,
) -> Plan:
    """Return the plan for a budget: a tier's name, or minutes such as "20m".

    With empty ``arms`` it has all arms, the CUDA ones only if ``gpu``. With a number of
    ``blocks`` all of them are made; else ``sizing`` decides how many, and ``until`` what a
    group-sequential session settles. Raises InputError for an unknown budget or arm, HostError
    where the memory is too small for the fewest repeats that the study accepts, or duet
    blocks are requested and the machine does not support them.
    """
    chosen = _comparable_arms(study, arms, gpu)
    possible, refused = _possible(study, chosen, design, resources)
    tier = tier_of(study, budget)
    memory = memory_of_a_run(resources, possible)
    repeats, fewer = _repeats_in_memory(study.protocol, tier.repeats, memory)
    limits = Limits(resources.cpuset, memory, study.protocol.run_timeout_s, resources.halves)
    maker = BlockMaker(study, chosen, (MAIN, *roles_named(tier.controls)), repeats, seed, limits)
    if possible != ALTERNATING and not maker.can_pair:
        raise InputError(
            f"--design: {possible} runs both stacks of a variant side by side, the plan has one",
            "name arms of both stacks, or use --design alternating",
        )
    extent = extent_of(maker, tier, possible, blocks, sizing, until)
    settled, unpiloted = _settled(possible, extent)
    notes = (*fewer, *refused, *unpiloted)
    return refuse_duplicate_runs(_plan(maker, tier, extent, settled, notes))


def _plan(
    maker: BlockMaker, tier: Tier, extent: Extent, design: Design, notes: tuple[Note, ...]
) -> Plan:
    """Return the plan of the identity runs and the pilot, or the blocks without one."""
    judged = replace(maker, roles=(MAIN, *extent.controls))
    first, count = (maker.piloting(), extent.pilot) if extent.pilot else (judged, extent.blocks)
    return Plan(
        study_id=maker.study.id,
        study_sha256=maker.study.sha256,
        tier=tier.name,
        seed=maker.seed,
        arms=maker.arms,
        blocks=0 if extent.pilot else extent.blocks,
        repeats=maker.repeats,
        limits=maker.limits,
        runs=(*maker.identity(), *_blocks(first, design, count)),
        notes=notes,
        design=design,
        roles=judged.roles,
        pilot=extent.pilot,
        bounds=Bounds(extent.blocks, tier.power, extent.minutes) if extent.pilot else None,
        stopping=extent.stopping,
    )


def extended_plan(study: Study, plan: Plan, design: Design, blocks: int) -> Plan:
    """Return the plan of a pilot, extended by so many blocks of that design."""
    maker = maker_of(study, plan)
    number = max((run.block for run in plan.runs), default=-1) + 1
    more = [maker.block(number + turn, design, turn) for turn in range(blocks)]
    runs = (*plan.runs, *(run for block in more for run in block))
    return refuse_duplicate_runs(replace(plan, design=design, blocks=blocks, runs=runs))


def maker_of(study: Study, plan: Plan) -> BlockMaker:
    """Return the maker of the runs of the plan's blocks."""
    return BlockMaker(study, plan.arms, plan.roles, plan.repeats, plan.seed, plan.limits)


def plan_sha256(plan: Plan, form: int = FORM) -> str:
    """Return the SHA-256 in hex of the plan without its notes, as canonical JSON.

    The plan is hashed as a log of that form holds it.
    Notes explain the plan, with the machine's memory, and do not change its runs.
    """
    planned = {**in_form(plan_document(plan), form), "notes": ()}
    text = json.dumps(planned, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def expected_seconds(study: Study, runs: Sequence[PlannedRun]) -> tuple[float, ...]:
    """Return the estimated seconds that each of these runs takes, from the study's cost figures.

    The two runs of a pair share the time of the longer one, since they run together.
    """
    return tuple(
        max(run_seconds(study, run.repeats, run.role) for run in step) / len(step)
        for step in steps_of(runs)
        for _ in step
    )


def chosen_arms(study: Study, names: Sequence[str], gpu: bool = False) -> tuple[str, ...]:
    """Return the study's arms of those names; without names all, the CUDA ones only if ``gpu``.

    Raises InputError for an unknown arm, and for one that is named twice.
    """
    known = ", ".join(study.arms)
    for name in names:
        if name not in study.arms:
            raise InputError(f"--arms: no arm is called {name!r}", f"use some of: {known}")
    if len(set(names)) != len(names):
        raise InputError("--arms: an arm is named twice", f"name each once: {known}")
    return tuple(names) or tuple(n for n in study.arms if gpu or n not in cuda_arms(study, ()))


def cuda_arms(study: Study, names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the CUDA arms among ``names``; without names, among the study's arms."""
    return tuple(name for name in names or study.arms if study.arms[name].variant == CUDA)


def _comparable_arms(study: Study, names: Sequence[str], gpu: bool) -> tuple[str, ...]:
    """Return the arms of those names. Raise InputError for two of one stack and variant.

    Also raises it as ``chosen_arms`` and ``_check_gpu`` do.
    """
    chosen = chosen_arms(study, names, gpu)
    by_stack_and_variant((study.arms[name] for name in chosen), f"study {study.id}")
    _check_gpu(study, chosen, gpu)
    return chosen


def _check_gpu(study: Study, chosen: Sequence[str], gpu: bool) -> None:
    """Raise InputError unless CUDA arms are chosen exactly if a GPU was requested."""
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


def _possible(
    study: Study, arms: Sequence[str], wanted: Design, resources: Resources
) -> tuple[Design, tuple[Note, ...]]:
    """Return the design to use, and a note if it differs from the requested one.

    Raises HostError where duet blocks are requested and not possible.
    """
    if wanted == ALTERNATING:
        return ALTERNATING, ()
    on_gpu = any(study.arms[name].variant == CUDA for name in arms)
    refusal = refuse_duet(resources, study.protocol, on_gpu)
    if refusal is None:
        return wanted, ()
    if wanted == DUET:
        why = refusal_text(refusal, resources.cpuset)
        raise HostError(f"--design duet: {why}", "use --design alternating")
    return ALTERNATING, (refusal,)


def _settled(design: Design, extent: Extent) -> tuple[Design, tuple[Note, ...]]:
    """Return the design, alternating with a note for ``AUTO`` without a pilot to choose one."""
    if design == AUTO and not extent.pilot:
        return ALTERNATING, (Note(NO_PILOT),)
    return design, ()


def _blocks(maker: BlockMaker, design: Design, count: int) -> tuple[PlannedRun, ...]:
    """Return the runs of the first blocks; of both designs in turn for ``AUTO``."""
    kinds = [(kind, turn) for turn in range(count) for kind in designs_of(design)]
    blocks = (maker.block(number, kind, turn) for number, (kind, turn) in enumerate(kinds))
    return tuple(run for block in blocks for run in block)


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
            f"{protocol.minimum_repeats} repeats a run, {decimal(available)} are available",
            "free memory, raise --memory, or use a larger machine",
        )
    return possible, (Note(FEWER_REPEATS, wanted, need.of(wanted), available),)
