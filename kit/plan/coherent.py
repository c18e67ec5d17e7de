"""Consistency checks of a plan: its fields against its runs, and no run twice.

A recorded plan may have been edited: its number of blocks, its arms, roles and repeats may
then differ from those of its runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from kit.errors import InputError
from kit.plan.budget import MAX_SEQUENTIAL
from kit.plan.model import ALTERNATING, AUTO, DUET, IDENTITY, BlockDesign, Plan, PlannedRun
from kit.plan.roles import CONTROLS, PILOT, reference_of


def contradictions(plan: Plan) -> Iterator[str]:
    """Yield one line for each field of the plan that its runs or blocks contradict."""
    yield from _identity(plan)
    yield from _blocks(plan)
    yield from _looks(plan)
    for run in plan.runs:
        if run.block >= 0:
            yield from _timed(plan, run)


def _identity(plan: Plan) -> Iterator[str]:
    """Yield a line unless each arm has one identity run, in their order, before all blocks."""
    before = [run for run in plan.runs if run.block < 0]
    if [run.arm for run in before] != list(plan.arms):
        made = ", ".join(run.arm for run in before)
        yield f"identity runs of {made or 'no arm'}, the arms are {', '.join(plan.arms)}"
    if list(plan.runs[: len(before)]) != before:
        yield "an identity run comes after the blocks"
    for run in plan.runs:
        if (run.kind == IDENTITY) != (run.block < 0):
            yield f"{run.run_id}: a run of kind {run.kind} in block {run.block}"


def _blocks(plan: Plan) -> Iterator[str]:
    """Yield a line for gaps in the numbers of blocks and runs, and for a wrong number of blocks."""
    blocks: dict[int, list[PlannedRun]] = {}
    numbers = [run.block for run in plan.runs if run.block >= 0]
    for run in plan.runs:
        if run.block >= 0:
            blocks.setdefault(run.block, []).append(run)
    if numbers != sorted(numbers) or list(blocks) != list(range(len(blocks))):
        yield f"its blocks are numbered {', '.join(map(str, list(blocks)[:20]))}"
    for number, runs in blocks.items():
        if [run.position for run in runs] != list(range(len(runs))):
            yield f"block {number}: its runs are not numbered from 0"
    judged = [runs for runs in blocks.values() if not _is_pilot(runs)]
    if len(judged) != plan.blocks:
        yield f"{plan.blocks} blocks are announced, the plan holds {len(judged)}"
    pilots = Counter(runs[0].design for runs in blocks.values() if _is_pilot(runs))
    if any(count != plan.pilot for count in pilots.values()) or bool(pilots) != bool(plan.pilot):
        yield f"a pilot of {plan.pilot} blocks is announced, the plan holds {sum(pilots.values())}"
    for design in (ALTERNATING, DUET):
        yield from _alike(design, [runs for runs in judged if runs[0].design == design])


def _looks(plan: Plan) -> Iterator[str]:
    """Yield a line for looks that the plan's blocks do not have, or that take too long."""
    if plan.stopping is None or not plan.blocks:
        return
    if plan.stopping.first_look > plan.blocks:
        yield f"a first look at block {plan.stopping.first_look} of {plan.blocks}"
    if plan.blocks > MAX_SEQUENTIAL:
        yield f"looks at {plan.blocks} blocks, at most {MAX_SEQUENTIAL} are possible"


def _is_pilot(runs: list[PlannedRun]) -> bool:
    return any(run.role == PILOT for run in runs)


def _alike(design: BlockDesign, blocks: list[list[PlannedRun]]) -> Iterator[str]:
    """Yield a line for each run that a block and the first one of its design do not share."""
    for runs in blocks[1:]:
        first, here = ({(r.arm, r.role) for r in each} for each in (blocks[0], runs))
        for arm, role in sorted(first ^ here):
            which = "lacks a" if (arm, role) in first else "has one more"
            yield f"{design} block {runs[0].block} {which} run of {arm} ({role})"


def _timed(plan: Plan, run: PlannedRun) -> Iterator[str]:
    roles = {*plan.roles, PILOT, *(reference_of(name) for name in CONTROLS if name in plan.roles)}
    if run.arm not in plan.arms:
        yield f"{run.run_id}: {run.arm} is not an arm of the plan"
    if run.role not in roles:
        yield f"{run.run_id}: {run.role} is not a role of the plan"
    if run.repeats != plan.repeats:
        yield f"{run.run_id}: {run.repeats} repeats, the plan says {plan.repeats}"
    if plan.design != AUTO and run.role != PILOT and run.design != plan.design:
        yield f"{run.run_id}: a {run.design} run in a {plan.design} plan"


def duplicate_runs(runs: Sequence[PlannedRun]) -> Iterator[str]:
    """Yield one line for each run with an earlier one's id, or its block, arm, kind and role.

    Results use both as keys, so kit would silently lose one of the two runs.
    """
    ids: dict[str, PlannedRun] = {}
    slots: dict[tuple[int, str, str, str], PlannedRun] = {}
    for run in runs:
        first = ids.setdefault(run.run_id, run)
        if first is not run:
            yield f"{_named(first)} and {_named(run)} have one id, {run.run_id}"
            continue
        first = slots.setdefault((run.block, run.arm, run.kind, run.role), run)
        if first is not run:
            yield f"{first.run_id} and {run.run_id} are both {_named(run)}"


def refuse_duplicate_runs(plan: Plan) -> Plan:
    """Return the plan unchanged; raise InputError for duplicate runs, naming the first ones."""
    found = list(duplicate_runs(plan.runs))
    if found:
        raise InputError(
            f"study {plan.study_id}: the plan holds a run twice: {'; '.join(found[:3])}",
            "rename an arm: a run is called by its arm and its role, such as placebo",
        )
    return plan


def _named(run: PlannedRun) -> str:
    return f"{run.kind} {run.arm} ({run.role}) of block {run.block}"
