"""Checks of the log's header: it must agree with itself, its study and its log."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from kit.images.fidelity import UNSTATED
from kit.plan.cpuset import cpus_of
from kit.plan.model import EXPLAIN, SEQUENTIAL, Limits
from kit.records.command import Command, parse_command
from kit.records.session import Header, Session
from kit.results.names import sbom_name
from kit.study.model import Study

MAX_CPUS = 10_000
"""More than Linux numbers."""
_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)")


def differences(session: Session, study: Study) -> Iterator[str]:
    """Yield each thing in which the header contradicts itself, its study or its log."""
    header = session.header
    command = parse_command(header.command)
    if header.plan.study_id != study.id:
        yield f"study_id: {header.plan.study_id}, the study is {study.id}"
    yield from _identity(header)
    yield from _images(header)
    yield from _fidelity(header, study)
    yield from _asked(header, command)
    yield from _limits(header.plan.limits, command)
    yield from _shards(header, command)
    if session.executable is not None and not header.executable:
        yield "the log has a run of the executable, the header says that none was built"


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


def _asked(header: Header, command: Command) -> Iterator[str]:
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
        if command.design == SEQUENTIAL:
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
