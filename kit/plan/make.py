"""Making a plan: randomised blocks within a budget, memory and time allowed for.

Pure: the same inputs give the same plan on any machine.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from kit.errors import HostError, InputError
from kit.plan.model import Limits, Plan, PlannedRun
from kit.study.model import CUDA, Protocol, Study, Tier

IDENTITY_REPEATS = 1
MINUTES = re.compile(r"(\d{1,4})m")  # up to a week


@dataclass(frozen=True)
class Resources:
    """What a run may use. ``memory_bytes`` is what the host can give one run."""

    cpuset: str
    memory_bytes: int


def make_plan(
    study: Study,
    budget: str,
    arms: Sequence[str],
    seed: int,
    resources: Resources,
    gpu: bool = False,
) -> Plan:
    """The plan for a budget: a tier's name, or minutes such as "20m".

    Without names all ``arms`` are planned, the CUDA ones only if ``gpu``. Raises
    InputError for an unknown budget or arm, HostError when the memory does not allow
    even the fewest repeats that the study accepts.
    """
    chosen = chosen_arms(study, arms, gpu)
    _check_gpu(study, chosen, gpu)
    wanted = _tier(study, budget, len(chosen))
    repeats, notes = _repeats_in_memory(study.protocol, wanted.repeats, resources.memory_bytes)
    return Plan(
        study_id=study.id,
        study_sha256=study.sha256,
        tier=wanted.name,
        seed=seed,
        arms=chosen,
        blocks=wanted.blocks,
        repeats=repeats,
        limits=Limits(
            cpuset=resources.cpuset,
            memory_bytes=resources.memory_bytes,
            timeout_s=study.protocol.run_timeout_s,
        ),
        runs=_runs(study.protocol.identity_seed, chosen, wanted.blocks, repeats, seed),
        notes=notes,
    )


def plan_sha256(plan: Plan) -> str:
    """Hash of everything in the plan, in canonical JSON."""
    text = json.dumps(asdict(plan), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def expected_seconds(study: Study, runs: Sequence[PlannedRun]) -> float:
    """Rough duration of these runs, from the study's own cost figures."""
    cost = study.protocol.cost
    return sum(cost.run_overhead_s + run.repeats * cost.fit_s for run in runs)


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


def cuda_arms(study: Study, names: Sequence[str]) -> tuple[str, ...]:
    """The CUDA arms among those names; of the whole study where none is named."""
    return tuple(name for name in names or study.arms if study.arms[name].variant == CUDA)


def _tier(study: Study, budget: str, arms: int) -> Tier:
    if budget in study.protocol.tiers:
        return study.protocol.tiers[budget]
    minutes = MINUTES.fullmatch(budget)
    if not minutes:
        tiers = ", ".join(study.protocol.tiers)
        raise InputError(
            f"--budget: {budget!r} is neither a tier nor minutes", f"use {tiers}, or e.g. 20m"
        )
    return _tier_for_minutes(study.protocol, int(minutes.group(1)), arms, budget)


def _tier_for_minutes(protocol: Protocol, minutes: int, arms: int, name: str) -> Tier:
    """As many blocks as fit in the time; blocks before repeats.

    The container is the unit of replication, so a further block tells more
    than further fits in the same containers: the fits of a run are those of the
    smallest tier.
    """
    cost = protocol.cost
    repeats = min(tier.repeats for tier in protocol.tiers.values())
    identity = arms * (cost.run_overhead_s + IDENTITY_REPEATS * cost.fit_s)
    block = arms * (cost.run_overhead_s + repeats * cost.fit_s)
    blocks = int((minutes * 60 - identity) // block)
    if blocks < 2:
        least = -(-(identity + 2 * block) // 60)
        raise InputError(
            f"--budget: {minutes} minutes do not hold two blocks of the study",
            f"give at least {least:.0f}m, or fewer --arms",
        )
    return Tier(name=name, blocks=blocks, repeats=repeats)


def _repeats_in_memory(
    protocol: Protocol, wanted: int, available: int
) -> tuple[int, tuple[str, ...]]:
    need = protocol.memory
    if need.of(wanted) <= available:
        return wanted, ()
    possible = (available - need.base_bytes) // max(need.per_repeat_bytes, 1)
    if possible < protocol.minimum_repeats:
        raise HostError(
            f"memory: {_gigabytes(need.of(protocol.minimum_repeats))} are needed for "
            f"{protocol.minimum_repeats} repeats a run, {_gigabytes(available)} can be had",
            "free memory, raise --memory, or use a larger machine",
        )
    note = (
        f"Each run makes {possible} repeats, not {wanted}: {wanted} need "
        f"{_gigabytes(need.of(wanted))} of memory and {_gigabytes(available)} can be had."
    )
    return possible, (note,)


def _runs(
    identity_seed: int, arms: Sequence[str], blocks: int, repeats: int, seed: int
) -> tuple[PlannedRun, ...]:
    shuffle = random.Random(seed)
    runs = [
        PlannedRun(
            f"identity-{arm}", -1, position, arm, "identity", IDENTITY_REPEATS, identity_seed
        )
        for position, arm in enumerate(arms)
    ]
    for block in range(blocks):
        order = list(arms)
        shuffle.shuffle(order)
        runs += [
            PlannedRun(f"block{block:03d}-{arm}", block, position, arm, "timed", repeats, None)
            for position, arm in enumerate(order)
        ]
    return tuple(runs)


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
