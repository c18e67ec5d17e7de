"""Check of the plan: kit makes it again from the seed, the recorded command and the pilot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, fields, replace

from kit.errors import KitError
from kit.host.gpu.preflight import testable_arms
from kit.judge.pilot import PilotResult, fixed_plan
from kit.judge.stop import look, look_due
from kit.plan.ablation import BLOCKS, REPEATS, explaining_plan
from kit.plan.budget import BY_PILOT, FIXED, LOOKS, Sizing
from kit.plan.make import make_plan
from kit.plan.model import EXPLAIN, MAX_BLOCKS, Plan
from kit.plan.resources import Resources
from kit.records.command import Command, parse_command
from kit.records.session import Header, Session
from kit.study.model import Study
from kit.verify.numbers import compare

LOOKS_SINCE = 7
"""The first form of the log whose sessions end by looks; before it a pilot decided."""
MAX_REPEATS = 1_000_000
"""The maximum in plan.schema.json."""


def differences(session: Session, study: Study) -> Iterator[str]:
    """Yield every difference of the plan from the one that study, seed and command make.

    Raise KitError if that one cannot be made.
    """
    plan = session.header.plan
    if plan.study_sha256 != study.sha256:
        yield "it is of another study"
    command = parse_command(session.header.command)
    if plan.purpose == EXPLAIN:
        yield from _unlike(plan, _explaining(plan, study, command))
        return
    begun = plan if session.piloted is None else session.piloted.plan
    made = _planned(begun, session.header, study, command)
    found: PilotResult | None = None
    if session.piloted is not None:
        yield from _unlike(begun, made)
        header = replace(session.header, plan=made)
        pilot = replace(session, header=header, entries=session.entries[: session.piloted.runs])
        made, found = fixed_plan(pilot, study)
        yield from _pilot_result(session, found)
    yield from _unlike(plan, made)


def look_differences(session: Session, study: Study) -> Iterator[str]:
    """Yield one line per way in which a session did not follow its stopping rule, look by look.

    Each look is made again from the runs before it; no run may be made while one is due.
    """
    for number, recorded in enumerate(session.looks):
        before = replace(session, entries=session.entries[: recorded.runs])
        before = replace(before, looks=session.looks[:number])
        if not look_due(before):
            yield f"a look after block {recorded.blocks}, where the rule asks for none"
            continue
        again = asdict(look(before, study)), asdict(recorded)
        documents = [json.dumps(each, sort_keys=True).encode() for each in again]
        if compare({"look.json": documents[0]}, {"look.json": documents[1]}).wrong:
            yield f"the look after block {recorded.blocks} does not follow from the runs before it"
    yield from _went_past(session)


def _went_past(session: Session) -> Iterator[str]:
    """Yield each run that was made where a look was due."""
    if session.header.plan.stopping is None:
        return
    for number, entry in enumerate(session.entries):
        before = replace(
            session,
            entries=session.entries[:number],
            looks=tuple(each for each in session.looks if each.runs <= number),
        )
        if look_due(before):
            yield f"{entry.run_id} was made where a look was due"


def _planned(recorded: Plan, header: Header, study: Study, command: Command) -> Plan:
    """Return the plan that the command makes on a machine with the recorded limits.

    The log does not have the machine's memory, only the limit of a run: all of the memory, or
    half if two runs may run at the same time. Of the two plans for these, return the one that
    is more like the recorded one. Raise KitError if neither can be made.
    """
    limits = recorded.limits
    made: list[Plan] = []
    refused: KitError | None = None
    for share in (1, 2):
        have = Resources(limits.cpuset, share * limits.memory_bytes, limits.halves)
        try:
            made.append(_on(have, header, study, command))
        except KitError as error:
            refused = refused or error
    if not made and refused is not None:
        raise refused
    return min(made, key=lambda plan: len(list(_unlike(recorded, plan))))


def _on(have: Resources, header: Header, study: Study, command: Command) -> Plan:
    seed = command.number("--seed")
    budget, blocks = command.text("--budget"), command.number("--blocks", MAX_BLOCKS)

    def plan(arms: tuple[str, ...], gpu: bool) -> Plan:
        return make_plan(
            study, budget, arms, header.plan.seed if seed is None else seed, have, gpu,
            design=command.design, blocks=blocks, until=command.until, sizing=_sizing(header),
        )  # fmt: skip

    made = plan(command.arms, command.has("--gpu"))
    if header.gpu is not None and header.gpu.untestable:
        made = plan(testable_arms(made.arms, header.gpu), False)
    return made


def _sizing(header: Header) -> Sizing:
    """Return what decided the number of blocks; since there are looks, shards fix it."""
    if header.form < LOOKS_SINCE:
        return BY_PILOT
    return LOOKS if header.shard is None and not header.shards else FIXED


def _explaining(plan: Plan, study: Study, command: Command) -> Plan:
    blocks = command.number("--blocks", MAX_BLOCKS)
    repeats = command.number("--repeats", MAX_REPEATS)
    return explaining_plan(study, plan.limits, plan.seed, blocks or BLOCKS, repeats or REPEATS)


def _unlike(plan: Plan, made: Plan) -> Iterator[str]:
    """Yield each difference of the recorded plan from the one made again."""
    for each in fields(Plan):
        recorded, again = getattr(plan, each.name), getattr(made, each.name)
        if each.name != "runs" and recorded != again:
            yield f"its {each.name} is {_short(recorded)}, the command makes {_short(again)}"
    expected = {run.run_id: run for run in made.runs}
    for run in plan.runs:
        if expected.get(run.run_id) != run:
            yield f"{run.run_id} is not what the seed {plan.seed} makes"
    planned = {run.run_id for run in plan.runs}
    for run_id in expected:
        if run_id not in planned:
            yield f"{run_id} is missing, which the seed {plan.seed} makes"
    order = [run.run_id for run in plan.runs], [run.run_id for run in made.runs]
    if order[0] != order[1] and sorted(order[0]) == sorted(order[1]):
        yield f"its runs are not in the order that the seed {plan.seed} makes"


def _pilot_result(session: Session, found: PilotResult | None) -> Iterator[str]:
    """Yield an error if the recorded result of the pilot does not follow from its runs."""
    recorded = {} if session.outlook is None else dict(session.outlook)
    again = {} if found is None else asdict(found)
    documents = [json.dumps(each, sort_keys=True).encode() for each in (again, recorded)]
    name = "outlook.json"
    if compare({name: documents[0]}, {name: documents[1]}).wrong:
        yield "what was fixed after the pilot does not follow from the pilot's runs"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
