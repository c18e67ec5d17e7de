"""Every run of a plan is there once: by its id, and by its block, arm and role."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kit.errors import InputError
from kit.plan.model import Plan, PlannedRun


def doubles(runs: Sequence[PlannedRun]) -> Iterator[str]:
    """Yield a line for each run that has the id, or the block, arm and role, of an earlier one.

    Results are kept by both, so one of the two would be lost without a word.
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


def planned_once(plan: Plan) -> Plan:
    """Return the plan. Raises InputError where a run is in it twice, see ``doubles``."""
    found = list(doubles(plan.runs))
    if found:
        raise InputError(
            f"study {plan.study_id}: the plan holds a run twice: {'; '.join(found[:3])}",
            "rename an arm: a run is called by its arm and its role, such as placebo",
        )
    return plan


def _named(run: PlannedRun) -> str:
    return f"{run.kind} {run.arm} ({run.role}) of block {run.block}"
