"""Checks of the log: does its header agree with itself, and was each run as planned?"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kit.images.fidelity import UNSTATED
from kit.judge.stop import look_due
from kit.plan.blocks import step_index_by_run, steps_of
from kit.plan.model import ALTERNATING, EXPLAIN, Limits, PlannedRun
from kit.plan.resources import cpus_of
from kit.plan.shard import runs_in_shard
from kit.plan.spec import spec_json
from kit.records.command import Command, parse_command
from kit.records.planned import differing_fields
from kit.records.session import Header, RunEntry, Session
from kit.results import sbom_name
from kit.study.model import Study

MAX_CPUS = 10_000
"""More than Linux numbers."""
_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)")


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


def header_differences(session: Session, study: Study) -> Iterator[str]:
    """Yield one line per contradiction of the header with itself, its study or its log."""
    header = session.header
    command = parse_command(header.command)
    if header.plan.study_id != study.id:
        yield f"study_id: {header.plan.study_id}, the study is {study.id}"
    yield from _identity(header)
    yield from _images(header)
    yield from _fidelity(header, study)
    yield from _wrong_purpose(header, command)
    yield from _limits(header.plan.limits, command)
    yield from _shards(header, command)
    if session.executable is not None and not header.executable:
        yield "the log has a run of the executable, the header says that none was built"


def run_differences(session: Session, study: Study) -> Iterator[str]:
    """Yield one line for each run that is not as planned, repeated, or out of order."""
    planned = {run.run_id: run for run in session.header.plan.runs}
    for entry in session.entries:
        run = planned.get(entry.run_id)
        if run is None:
            yield f"{entry.run_id} is not planned"
        else:
            yield from _run(session, study, entry, run)
    yield from _machines(session)
    yield from _contents(session)
    yield from _merged(session) if session.header.shards else _in_turn(session)


def missing_runs(session: Session) -> Iterator[str]:
    """Yield one line for each thing that the session has still to do, and kit cannot verify."""
    header = session.header
    left = [run.run_id for run in session.missing_runs()]
    if left:
        more = f" and {len(left) - 3} more" if len(left) > 3 else ""
        yield f"{len(left)} planned runs have no record: {', '.join(left[:3])}{more}"
    if look_due(session):
        yield "the look at the last block has still to be made"
    if header.plan.pilot and session.piloted is None:
        yield "the pilot has not fixed the number of blocks"
    if header.executable and session.executable is None:
        yield "the executable was built and has not been run"


def _identity(header: Header) -> Iterator[str]:
    """Yield an error if the session's id does not begin with the time of its creation."""
    found = _MOMENT.match(header.created)
    started = "".join(found.groups()[:3]) + "-" + "".join(found.groups()[3:]) if found else ""
    if not header.session_id.startswith(started):
        yield f"session_id: {header.session_id}, it was created {header.created}"


def _images(header: Header) -> Iterator[str]:
    """Yield each arm without an image or bill of materials, and each of these without an arm.

    A header without any bill of materials is valid.
    """
    arms = set(header.plan.arms)
    for arm in sorted(arms ^ set(header.images)):
        yield f"images: {arm} {'has none' if arm in arms else 'is not an arm of the plan'}"
    bills = {sbom_name(arm) for arm in arms}
    for name in sorted(bills ^ set(header.sboms)) if header.sboms else ():
        yield f"sboms: {name} {'is missing' if name in bills else 'is of no arm'}"


def _fidelity(header: Header, study: Study) -> Iterator[str]:
    """Yield errors in the fidelity rows: missing, repeated, out of order, or of another version."""
    if header.plan.purpose != EXPLAIN:
        rows = {row.name for row in header.fidelity}
        yield from (
            f"fidelity: {name} has no row"
            for name in study.paper.claimed
            if name not in rows and name in study.paper.environment
        )
    named = [row.name for row in header.fidelity if row.name in study.paper.environment]
    if named != sorted(named, key=list(study.paper.environment).index):
        yield "fidelity: its rows are not in the order of the publication's components"
    for row in header.fidelity:
        wanted = study.paper.environment.get(row.name, UNSTATED)
        if row.wanted != wanted:
            yield f"fidelity: {row.name}: wanted {row.wanted!r}, the study names {wanted!r}"
    for name, count in Counter(row.name for row in header.fidelity).items():
        if count > 1:
            yield f"fidelity: {name} has {count} rows"


def _wrong_purpose(header: Header, command: Command) -> Iterator[str]:
    """Yield errors if the command is of another kind of session, or differs on the GPU."""
    made = "reproduce" if header.plan.purpose != EXPLAIN else "ablate"
    if (command.name == "reproduce") != (made == "reproduce"):
        yield f"command: kit {command.name}, the session is one of kit {made}"
    if command.has("--gpu") != (header.gpu is not None):
        yield "gpu: the command and the header differ on whether a GPU was asked for"


def _limits(limits: Limits, command: Command) -> Iterator[str]:
    """Yield limits other than the command's, and duet halves that are not parts of the CPUs."""
    try:
        cpus = set(cpus_of(limits.cpuset))
        halves = [set(cpus_of(half)) for half in limits.halves or ()]
    except ValueError:
        yield f"limits: cpuset {limits.cpuset!r} is not a set of CPUs"
        return
    asked = command.number("--cpus", MAX_CPUS)
    if asked is not None and cpus != set(range(asked)):
        yield f"limits: cpuset {limits.cpuset}, --cpus asked for {asked}"
    if halves and (not halves[0] | halves[1] <= cpus or halves[0] & halves[1]):
        yield f"limits: the halves {limits.halves} are not two parts of {limits.cpuset}"
    if halves and min(halves[0]) > min(halves[1]):
        yield f"limits: the halves {limits.halves} are not in order"
    memory = command.number("--memory")
    if memory is not None:
        possible = {memory, memory // 2 // 10**8 * 10**8}
        if command.design == ALTERNATING:
            possible = {memory}
        if limits.memory_bytes not in possible:
            yield f"limits: memory_bytes {limits.memory_bytes}, --memory asked for {memory}"


def _shards(header: Header, command: Command) -> Iterator[str]:
    """Yield errors if the shard is not the command's, or a merged session lacks a shard."""
    asked = command.text("--shard")
    if asked != str(header.shard or ""):
        yield f"shard: {header.shard or 'none'}, the command's is {asked or 'none'}"
    if not header.shards:
        return
    if header.shard:
        yield "shards: a shard cannot be merged of shards"
    found = [each.shard for each in header.shards]
    if sorted(each.number for each in found) != list(range(1, found[0].of + 1)) or any(
        each.of != found[0].of for each in found
    ):
        yield f"shards: {', '.join(map(str, found))} are not all of {found[0].of}"


def _run(session: Session, study: Study, entry: RunEntry, run: PlannedRun) -> Iterator[str]:
    for name in differing_fields(entry, run):
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


def _merged(session: Session) -> Iterator[str]:
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


def _in_turn(session: Session) -> Iterator[str]:
    header = session.header
    runs = runs_in_shard(header.plan.runs, header.shard)
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
