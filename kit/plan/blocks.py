"""The runs of a block, in an order that depends only on its number and the seed.

So an extended plan keeps its blocks, and kit can generate any block again.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kit.errors import InputError
from kit.plan.model import (
    ALTERNATING,
    AUTO,
    DUET,
    IDENTITY,
    TIMED,
    BlockDesign,
    Design,
    Limits,
    PlannedRun,
)
from kit.plan.roles import (
    CONTROLS,
    MAIN,
    PILOT,
    RoleName,
    conditions_of,
    reference_of,
    role_of,
)
from kit.study.model import Study, arm_of

IDENTITY_REPEATS = 1
Slot = tuple[str, RoleName]
"""An arm and the role of its run in the block."""


@dataclass(frozen=True)
class BlockMaker:
    """A maker of the runs of blocks; ``arms`` and ``roles`` are those of the plan."""

    study: Study
    arms: tuple[str, ...]
    roles: tuple[RoleName, ...]
    repeats: int
    seed: int
    limits: Limits

    def __post_init__(self) -> None:
        """Raise InputError for an arm that the study does not have."""
        for arm in self.arms:
            arm_of(self.study, arm)

    def identity(self) -> tuple[PlannedRun, ...]:
        """Return one run of each arm with the fixed seed; these come before all blocks."""
        seed = self.study.protocol.identity_seed
        return tuple(
            PlannedRun(f"identity-{arm}", -1, index, arm, IDENTITY, IDENTITY_REPEATS, seed)
            for index, arm in enumerate(self.arms)
        )

    def piloting(self) -> BlockMaker:
        """Return the maker of the pilot's blocks: both stacks, no controls."""
        return replace(self, roles=(PILOT,))

    def block(self, number: int, design: Design, turn: int) -> tuple[PlannedRun, ...]:
        """Return the runs of block ``number``, in the order they run.

        ``turn`` is its index, from 0, among the blocks of its design: duets swap their halves by
        it.
        """
        shuffle = random.Random(f"{self.seed}/{number}")
        if design == DUET:
            return self._duets(number, turn, shuffle)
        slots = self._slots()
        shuffle.shuffle(slots)
        return tuple(self._run(number, position, slot) for position, slot in enumerate(slots))

    def seconds(self, design: Design) -> float:
        """Return the estimated seconds of a block of that design, from the study's cost figures."""
        return sum(
            max(run_seconds(self.study, self.repeats, role) for _, role in step)
            for step in self.steps(design)
        )

    def steps(self, design: Design) -> tuple[tuple[Slot, ...], ...]:
        """Return the slots (arm and role) of a block by step.

        A step is a single run, or a pair that runs at the same time.
        """
        if design == DUET:
            return tuple(self._pairs())
        return tuple((slot,) for slot in self._slots())

    def identity_seconds(self) -> float:
        """Return the estimated seconds of all identity runs."""
        cost = self.study.protocol.cost
        return len(self.arms) * (cost.run_overhead_s + IDENTITY_REPEATS * cost.fit_s)

    def _slots(self) -> list[Slot]:
        slots = []
        for role in self.roles:
            of_baseline = [a for a in self.arms if self.study.arms[a].stack == self.study.baseline]
            arms = self.arms if role_of(role).on_both_arms else of_baseline
            if role in CONTROLS:
                arms = [arm for arm in arms if self._partner(arm)]
            slots += [(arm, role) for arm in arms]
        return slots

    @property
    def can_pair(self) -> bool:
        """Return whether the plan has both stacks of a variant."""
        return bool(self._pairs())

    def _pairs(self) -> list[tuple[Slot, Slot]]:
        """Return pairs of slots that run together: two stacks, or a control and its reference."""
        pairs: list[tuple[Slot, Slot]] = []
        for arm in self.arms:
            partner = self._partner(arm)
            if self.study.arms[arm].stack != self.study.baseline or partner is None:
                continue
            plain: RoleName = PILOT if PILOT in self.roles else MAIN
            pairs.append(((arm, plain), (partner, plain)))
            controls = [role for role in self.roles if role in CONTROLS]
            pairs += [((arm, reference_of(role)), (arm, role)) for role in controls]
        return pairs

    def _partner(self, arm: str) -> str | None:
        """Return the contender's arm of the same variant; None if it is not planned."""
        arms = self.study.arms
        return next(
            (
                other
                for other in self.arms
                if arms[other].variant == arms[arm].variant
                and arms[other].stack == self.study.contender
            ),
            None,
        )

    def _duets(self, number: int, turn: int, shuffle: random.Random) -> tuple[PlannedRun, ...]:
        """Return the runs of pairs in random order; from block to block their CPU halves swap.

        Raises InputError where the limits have no halves.
        """
        halves = self.limits.halves
        if halves is None:
            raise InputError(
                "the plan: a duet block needs two halves of the CPUs, its limits have none",
                "measure again in a new session",
            )
        pairs = list(enumerate(self._pairs()))
        # Each pair's halves are random in the first block and then alternate.
        first = [random.Random(f"{self.seed}/halves/{pair}").randrange(2) for pair, _ in pairs]
        shuffle.shuffle(pairs)
        runs: list[PlannedRun] = []
        for pair, slots in pairs:
            turned = (first[pair] + turn) % 2 == 1
            for half, slot in zip(halves, reversed(slots) if turned else slots, strict=True):
                runs.append(self._run(number, len(runs), slot, pair, half))
        return tuple(runs)

    def _run(
        self,
        number: int,
        position: int,
        slot: Slot,
        pair: int | None = None,
        cpuset: str | None = None,
    ) -> PlannedRun:
        arm, role = slot
        suffix = "" if role == MAIN else f"-{role}"
        return PlannedRun(
            run_id=f"block{number:03d}-{arm}{suffix}",
            block=number,
            position=position,
            arm=arm,
            kind=TIMED,
            repeats=self.repeats,
            seed=None,
            role=role,
            pair=pair,
            cpuset=cpuset,
        )


def run_seconds(study: Study, repeats: int, role: str) -> float:
    """Return the estimated seconds of a run of that role, from the study's cost figures."""
    cost = study.protocol.cost
    slower = 1 + conditions_of(role, study).slowdown_percent / 100
    return cost.run_overhead_s + repeats * cost.fit_s * slower


def designs_of(design: Design) -> tuple[BlockDesign, ...]:
    """Return the designs of the blocks: both for ``AUTO``, before the pilot has chosen one."""
    return (ALTERNATING, DUET) if design == AUTO else (design,)


def steps_of(runs: Sequence[PlannedRun]) -> tuple[tuple[PlannedRun, ...], ...]:
    """Return those runs grouped by step, in order: a single run, or a pair that runs together."""
    steps: dict[tuple[int, int | str], list[PlannedRun]] = {}
    for run in runs:
        steps.setdefault((run.block, run.run_id if run.pair is None else run.pair), []).append(run)
    return tuple(map(tuple, steps.values()))


def step_index_by_run(runs: Sequence[PlannedRun]) -> dict[str, int]:
    """Return the index of each run's step among the steps of the plan, by run id."""
    return {run.run_id: index for index, step in enumerate(steps_of(runs)) for run in step}


def block_numbers(runs: Sequence[PlannedRun], design: Design) -> tuple[int, ...]:
    """Return the numbers of the blocks of that design among those runs, in their order."""
    return tuple(dict.fromkeys(r.block for r in runs if r.block >= 0 and r.design == design))
