"""Gathering: the shards of one plan, made on several machines, put into one session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kit.errors import InputError
from kit.images.fidelity import ArmImage
from kit.measure.session import Header, RunEntry, Session
from kit.plan.blocks import step_places
from kit.plan.make import plan_sha256
from kit.plan.model import Limits
from kit.plan.shard import Shard, parse_shard

Named = tuple[Path, Session]


def gathered(shards: Sequence[Named]) -> tuple[Header, tuple[RunEntry, ...]]:
    """One header and every run of the shards, in the plan's order.

    Raises InputError naming the folder: another plan, kit, study or image content, a
    shard that is there twice or is missing, a run that is there twice, no shard at all.
    """
    if not shards:
        raise InputError("no shard is named", "name the results folders of the shards")
    first_folder, first = shards[0]
    seen: dict[Shard, Path] = {}
    for folder, session in shards:
        _refuse_stranger(first_folder, first, folder, session)
        shard = _shard(folder, session)
        if shard in seen:
            raise InputError(
                f"{folder}: shard {shard} is there already, from {seen[shard]}",
                "name each shard once",
            )
        seen[shard] = folder
    _refuse_gaps(tuple(seen))
    entries = _entries(shards)
    order = step_places(first.header.plan.runs)
    notes = tuple(
        f"shard {session.header.shard}: {note}"
        for _, session in shards
        for note in (*session.header.plan.notes, *session.notes)
    )
    plan = replace(first.header.plan, notes=notes)
    header = replace(
        first.header,
        plan=plan,
        plan_sha256=plan_sha256(plan),
        shard="",
        shards=tuple(_named(session) for _, session in shards),
        command=first.header.command.partition(" --shard")[0],
    )
    return header, tuple(sorted(entries, key=lambda e: order.get(e.run_id, len(order))))


def _named(session: Session) -> str:
    header, limits = session.header, session.header.plan.limits
    cpu = header.host.cpu_model or "an unknown CPU"
    return (
        f"{header.shard}: session {header.session_id} on {cpu}, CPUs {limits.cpuset}, "
        f"{limits.memory_bytes / 1e9:.1f} GB a run"
    )


def _shard(folder: Path, session: Session) -> Shard:
    if not session.header.shard:
        raise InputError(f"{folder}: a whole session, not a shard", "gather what --shard made")
    return parse_shard(session.header.shard)


def _refuse_stranger(first: Path, wanted: Session, folder: Path, session: Session) -> None:
    a, b = wanted.header, session.header
    facts = [
        *((f"plan's {what}", one, _plan(b)[what]) for what, one in _plan(a).items()),
        ("kit version", a.kit_version, b.kit_version),
        ("fidelity", str(a.fidelity), str(b.fidelity)),
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
                "gather shards of one plan, made by one kit with the same images; a machine with "
                "less memory makes fewer fits a run",
            )


def _content(image: ArmImage) -> str:
    """What an image is told by; one that was not described is equal to itself alone."""
    return image.content_sha256 or image.image_id


def _plan(header: Header) -> dict[str, str]:
    """What the plans must have in common, in words: all but the machine's own limits."""
    plan = replace(header.plan, limits=Limits("", 0, 0.0), notes=())
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
            f"shards of {' and '.join(map(str, sorted(of)))} are mixed", "gather one set of shards"
        )
    missing = [n for n in range(1, max(of) + 1) if Shard(n, max(of)) not in found]
    if missing:
        raise InputError(
            f"shard {', '.join(f'{n}/{max(of)}' for n in missing)} is missing",
            "name every shard of the plan",
        )


def _entries(shards: Sequence[Named]) -> list[RunEntry]:
    """Every run; an identity run of a later shard proves the same and is kept once.

    Images have another id on every machine that built them: the contents are equal, so
    the runs name the first machine's.
    """
    images = shards[0][1].header.images
    found: list[RunEntry] = []
    owners: dict[str, Path] = {}
    for number, (folder, session) in enumerate(shards):
        for entry in session.entries:
            if number and entry.kind == "identity":
                continue
            owner = owners.setdefault(entry.run_id, folder)
            if owner != folder:
                raise InputError(
                    f"{folder}: run {entry.run_id} is there already, from {owner}",
                    "gather each run once",
                )
            found.append(replace(entry, image_id=images[entry.arm].image_id))
    return found
