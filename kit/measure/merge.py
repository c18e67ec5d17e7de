"""Merging the shards of one plan, made on several machines, into one session."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from kit.errors import InputError
from kit.plan.blocks import step_index_by_run
from kit.plan.make import plan_sha256
from kit.plan.model import IDENTITY, Limits
from kit.plan.shard import Shard
from kit.records.command import without_option
from kit.records.images import ArmImage, ExecutableRun
from kit.records.planned import refuse_run_mismatches
from kit.records.record import Record
from kit.records.session import Header, MergedShard, RunEntry, Session

Named = tuple[Path, Session]


def merge_shards(shards: Sequence[Named]) -> tuple[Header, tuple[RunEntry, ...]]:
    """Merge the shards of one plan: return one header, and every run in the plan's order.

    Raises InputError that names the cause: another plan, kit, study or image content, a duplicate
    or missing shard, runs that are not those of the shard, a valid run that is missing or logged
    twice, no shards.
    """
    if not shards:
        raise InputError("no shard is named", "name the results folders of the shards")
    first_folder, first = shards[0]
    seen: dict[Shard, Path] = {}
    for folder, session in shards:
        _refuse_different(first_folder, first, folder, session)
        shard = _shard(folder, session)
        refuse_run_mismatches(session, str(folder))
        if shard in seen:
            raise InputError(
                f"{folder}: shard {shard} is there already, from {seen[shard]}",
                "name each shard once",
            )
        seen[shard] = folder
    _refuse_gaps(tuple(seen))
    entries = _entries(shards)
    order = step_index_by_run(first.header.plan.runs)
    header = replace(
        first.header,
        shard=None,
        shards=tuple(
            _shown(session, shard, first) for (_, session), shard in zip(shards, seen, strict=True)
        ),
        executable=any(session.executable is not None for _, session in shards),
        command=without_option(first.header.command, "--shard"),
    )
    return header, tuple(sorted(entries, key=lambda e: order.get(e.run_id, len(order))))


def executable_of(shards: Sequence[Named]) -> ExecutableRun | None:
    """Return the executable's result in the shards that ran it; None if no shard did.

    Raises InputError naming the folders if their results differ: the merged session has one
    verdict on it.
    """
    tried = [(folder, s.executable) for folder, s in shards if s.executable is not None]
    if not tried:
        return None
    first_folder, first = tried[0]
    for folder, run in tried[1:]:
        if _became(run) != _became(first):
            raise InputError(
                f"{folder}: the executable {_became(run)}, in {first_folder} it {_became(first)}",
                "see both reports; make the shard on the odd machine again",
            )
    return first


def _became(run: ExecutableRun) -> str:
    done = "trained" if run.trained else "started" if run.started else "did not start"
    kind = f" ({run.kind})" if run.kind else ""
    return f"{done}{kind}" + (f" and missed {run.missing}" if run.missing else "")


def _differing(first: Session, session: Session) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each arm with what differs between its identity runs in the two shards.

    The merge drops those of the later shard. The judge compares data, tensors and model,
    through the timed runs; trained weights may differ with the CPU's instructions.
    """
    kept = first.identity()
    for arm, run in session.identity().items():
        mine = kept[arm].record if arm in kept else None
        if mine is None or run.record is None:
            continue
        a, b = mine, run.record
        pairs = {
            "initial weights": (a.identity.initial_weights, b.identity.initial_weights),
            "losses": (_losses(a), _losses(b)),
            "versions": (dict(a.versions), dict(b.versions)),
        }
        differing = tuple(name for name, (one, other) in pairs.items() if one != other)
        if differing:
            yield arm, differing


def _losses(record: Record) -> list[tuple[float, ...]]:
    return [fit.losses for fit in record.fits]


def _shown(session: Session, shard: Shard, first: Session) -> MergedShard:
    header, limits = session.header, session.header.plan.limits
    gpu = header.gpu.gpu if header.gpu is not None else None
    return MergedShard(
        shard=shard,
        session_id=header.session_id,
        cpu_model=header.host.cpu_model,
        cpus=header.host.cpus,
        cpuset=limits.cpuset,
        memory_bytes=limits.memory_bytes,
        gpu=gpu.name if gpu is not None else "",
        notes=header.plan.notes,
        torn=session.torn,
        differing=dict(_differing(first, session)),
    )


def _shard(folder: Path, session: Session) -> Shard:
    if session.header.shard is None:
        raise InputError(f"{folder}: a complete session, not a shard", "merge what --shard made")
    return session.header.shard


def _refuse_different(first: Path, wanted: Session, folder: Path, session: Session) -> None:
    a, b = wanted.header, session.header
    facts = [
        *((f"plan's {what}", one, _plan(b)[what]) for what, one in _plan(a).items()),
        ("kit version", a.kit_version, b.kit_version),
        ("list of images", ", ".join(sorted(a.images)), ", ".join(sorted(b.images))),
        ("fidelity", str(_kinds(a)), str(_kinds(b))),
        *(
            (f"content of the image of {arm}", _content(image), _content(b.images[arm]))
            for arm, image in a.images.items()
            if arm in b.images
        ),
    ]
    for what, one, other in facts:
        if one != other:
            raise InputError(
                f"{folder}: its {what} is not that of {first}",
                "merge shards of one plan, made by one kit with the same images; a machine with "
                "less memory makes fewer fits a run",
            )


def _kinds(header: Header) -> list[tuple[str, str, bool]]:
    """Return each component's name, value and exactness; reasons may differ between machines."""
    return [(row.name, row.got, row.exact) for row in header.fidelity]


def _content(image: ArmImage) -> str:
    """Return the image's content digest, or its id if it was not described."""
    return image.content_sha256 or image.image_id


def _plan(header: Header) -> dict[str, str]:
    """Return, by name for messages, what all plans must share: all but the machine's limits."""
    plan = replace(header.plan, limits=Limits("", 0, 0.0))
    return {
        "study": plan.study_sha256,
        "seed": str(plan.seed),
        "arms": ", ".join(plan.arms),
        "number of blocks": str(plan.blocks),
        "number of fits a run": str(plan.repeats),
        "content": plan_sha256(plan),
    }


def _refuse_gaps(found: Sequence[Shard]) -> None:
    of = {shard.of for shard in found}
    if len(of) > 1:
        raise InputError(
            f"shards of {' and '.join(map(str, sorted(of)))} are mixed", "merge one set of shards"
        )
    missing = [n for n in range(1, max(of) + 1) if Shard(n, max(of)) not in found]
    if missing:
        raise InputError(
            f"shard {', '.join(f'{n}/{max(of)}' for n in missing)} is missing",
            "name every shard of the plan",
        )


def _entries(shards: Sequence[Named]) -> list[RunEntry]:
    """Return every run; of identity runs only the first shard's (see ``_differing``).

    Equal images have different ids on different machines, so the runs get the ids of the
    first machine. Their CPUs are those of the machine that made them.
    """
    images = shards[0][1].header.images
    return [
        replace(
            entry,
            image_id=images[entry.arm].image_id,
            cpus=session.header.host.cpus if entry.cpus is None else entry.cpus,
        )
        for number, (_, session) in enumerate(shards)
        for entry in session.entries
        if not (number and entry.kind == IDENTITY)
    ]
