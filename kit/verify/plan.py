"""The plan, made anew from its seed."""

from __future__ import annotations

from collections.abc import Iterator

from kit.plan.blocks import BlockMaker
from kit.plan.make import maker_of
from kit.results.session import Session
from kit.study.model import Study


def differences(session: Session, study: Study) -> Iterator[str]:
    """Every run that is not the one the plan's seed makes."""
    plan = session.header.plan
    if plan.study_sha256 != study.sha256:
        yield "it is of another study"
    maker = maker_of(study, plan)
    expected = {run.run_id: run for run in maker.identity()}
    turns: dict[tuple[str, bool], int] = {}
    for number in sorted({run.block for run in plan.runs if run.block >= 0}):
        runs = [run for run in plan.runs if run.block == number]
        pilot = any(run.role == "pilot" for run in runs)
        design = runs[0].design
        turn = turns.get((design, pilot), 0)
        turns[design, pilot] = turn + 1
        of_block: BlockMaker = maker.piloting() if pilot else maker
        expected |= {run.run_id: run for run in of_block.block(number, design, turn)}
    for run in plan.runs:
        if expected.get(run.run_id) != run:
            yield f"{run.run_id} is not what the seed {plan.seed} makes"
    if len(expected) != len(plan.runs):
        yield f"{len(plan.runs)} runs are planned, the seed makes {len(expected)}"
