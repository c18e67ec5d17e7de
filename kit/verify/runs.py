"""Checks of the runs: each as planned, and in an order in which kit makes them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kit.plan.blocks import step_index_by_run, steps_of
from kit.plan.model import PlannedRun
from kit.plan.shard import of_shard
from kit.plan.spec import spec_json
from kit.records.planned import differing
from kit.records.session import RunEntry, Session
from kit.study.model import Study


def differences(session: Session, study: Study) -> Iterator[str]:
    """Yield an error for each run that is not as planned, repeated, or out of order."""
    planned = {run.run_id: run for run in session.header.plan.runs}
    for entry in session.entries:
        run = planned.get(entry.run_id)
        if run is None:
            yield f"{entry.run_id} is not planned"
        else:
            yield from _run(session, study, entry, run)
    yield from _machines(session)
    yield from _contents(session)
    yield from _gathered(session) if session.header.shards else _in_turn(session)


def _run(session: Session, study: Study, entry: RunEntry, run: PlannedRun) -> Iterator[str]:
    for name in differing(entry, run):
        yield f"{entry.run_id}: its {name} is not the planned one"
    image = session.header.images.get(entry.arm)
    if image is None or image.image_id != entry.image_id:
        yield f"{entry.run_id}: its image is not the session's"
    if entry.record is not None:
        spec = hashlib.sha256(spec_json(run, study).encode()).hexdigest()
        if entry.record.spec_sha256 != spec:
            yield f"{entry.run_id}: its record is of another spec"


def _machines(session: Session) -> Iterator[str]:
    """Yield an error for each run with another number of CPUs than its machine had before."""
    cpus: dict[str, int | None] = {}
    for entry in session.entries:
        if cpus.setdefault(entry.machine, entry.cpus) != entry.cpus:
            yield f"{entry.run_id}: cpus: {entry.cpus}, {cpus[entry.machine]} in an earlier run"


def _contents(session: Session) -> Iterator[str]:
    """Yield each item that only some records have of an arm on a machine.

    One program wrote them all, so they must hold the same items.
    """
    names: dict[tuple[str, str], set[str]] = {}
    for entry in session.entries:
        if entry.record is not None:
            here = {f"versions.{name}" for name in entry.record.versions}
            here |= {"cgroup"} if entry.record.cgroup is not None else set()
            for name in sorted(here ^ names.setdefault((entry.arm, entry.machine), here)):
                yield f"{entry.run_id}: {name} is in some records of {entry.arm} only"


def _gathered(session: Session) -> Iterator[str]:
    """Yield each run of a merged log that is out of the plan's order or repeats a valid one.

    The tries of a step come one after another.
    """
    step_index = step_index_by_run(session.header.plan.runs)
    valid = session.valid_entry_indices()
    last = -1
    good: set[str] = set()
    for number, entry in enumerate(session.entries):
        if entry.run_id not in step_index:
            continue
        if step_index[entry.run_id] < last:
            yield f"{entry.run_id} is not in the plan's order"
        if entry.run_id in good:
            yield f"{entry.run_id} is there twice"
        if number in valid:
            good.add(entry.run_id)
        last = step_index[entry.run_id]


def missing(session: Session) -> Iterator[str]:
    """Yield the things that the session has still to do, which cannot be verified."""
    header = session.header
    left = [run.run_id for run in session.missing_runs()]
    if left:
        more = f" and {len(left) - 3} more" if len(left) > 3 else ""
        yield f"{len(left)} planned runs have no record: {', '.join(left[:3])}{more}"
    if header.plan.pilot and session.piloted is None:
        yield "the pilot has not fixed the number of blocks"
    if header.executable and session.executable is None:
        yield "the executable was built and has not been run"


@dataclass
class _Turns:
    """The state of a session's order. ``steps`` are single runs or pairs, in the plan's order.

    A session makes every step that lacks a record, in order, each once; if it was
    stopped and resumed, it begins again with the first that still does.
    """

    steps: Sequence[tuple[str, ...]]
    good: set[str] = field(default_factory=set)
    at: int = -1
    first: int = 0
    """The first step that lacks a record; records are never removed."""

    def take(self, step: int) -> str:
        """Record that a step was made, and return the error in its order; empty for none."""
        self.first = self._lacking(self.first)
        onward = self._lacking(max(self.at + 1, self.first))
        self.at = step
        if step in (self.first, onward):
            return ""
        if self._done(step):
            return "is there once more, though it was done"
        due = onward if step > onward else self.first
        return f"is not in the plan's order: {self.steps[due][0]} comes before it"

    def _lacking(self, start: int) -> int:
        """Return the first step from ``start`` on that lacks a record; for none, their number."""
        rest = range(start, len(self.steps))
        return next((step for step in rest if not self._done(step)), len(self.steps))

    def _done(self, step: int) -> bool:
        return self.good.issuperset(self.steps[step])


def _in_turn(session: Session) -> Iterator[str]:
    header = session.header
    runs = of_shard(header.plan.runs, header.shard)
    turns = _Turns([tuple(run.run_id for run in step) for step in steps_of(runs)])
    step_of = {run_id: number for number, step in enumerate(turns.steps) for run_id in step}
    planned = {run.run_id for run in header.plan.runs}
    before = ""
    valid = session.valid_entry_indices()
    for index, entry in enumerate(session.entries):
        number = step_of.get(entry.run_id)
        if number is None:
            if entry.run_id in planned:
                yield f"{entry.run_id} is not of shard {header.shard}"
            continue
        step = turns.steps[number]
        # The second of a pair is logged right after the first.
        second = step.index(entry.run_id) > 0 and before == step[0]
        wrong = "" if second else turns.take(number)
        if not wrong and not second and entry.run_id != step[0]:
            wrong = f"is not in the plan's order: {step[0]} comes before it"
        if wrong:
            yield f"{entry.run_id} {wrong}"
        before = entry.run_id
        if index in valid:
            turns.good.add(entry.run_id)
