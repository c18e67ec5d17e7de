"""The origin of a session, in words: its engine, its substitutes, its shards, and notes."""

from __future__ import annotations

from collections.abc import Iterator

from rich.filesize import decimal

from kit.plan.notes import note_text
from kit.records.host import EngineFacts
from kit.records.images import Component
from kit.records.session import Header, MergedShard

TORN = "The log's last line was torn by an interruption and is left out."


def engine_text(engine: EngineFacts) -> str:
    """Return the engine's name and version, its endpoint and its storage driver."""
    where = ", ".join(filter(None, (engine.endpoint, engine.storage_driver)))
    named = f"{engine.name} {engine.version}".strip()
    return f"{named} ({where})" if where else named


def substitute_text(row: Component) -> str:
    """Return why a component was chosen, and why each better choice was not available."""
    return f"{row.why} ({'; '.join(row.details)})" if row.details else row.why


def shard_text(made: MergedShard) -> str:
    """Return a shard's session id, and the machine it ran on."""
    return (
        f"{made.shard}: session {made.session_id} on {made.cpu_model or 'an unknown CPU'}, CPUs "
        f"{made.cpuset} of {made.cpus}, {decimal(made.memory_bytes)} per run"
        + (f", {made.gpu}" if made.gpu else "")
    )


def merged_text(header: Header) -> str:
    """Return all shards of a merged session in one line; empty for another session."""
    return "; ".join(map(shard_text, header.shards))


def notes(header: Header, torn: bool) -> tuple[str, ...]:
    """Return notes on the plan and the log; for a merged session, those of every shard."""
    plan = header.plan
    if not header.shards:
        own = (note_text(note, plan.repeats, plan.limits.cpuset) for note in plan.notes)
        return (*own, *((TORN,) if torn else ()))
    return tuple(
        f"shard {made.shard}: {text}"
        for made in header.shards
        for text in _of_shard(made, header, plan.repeats)
    )


def _of_shard(made: MergedShard, header: Header, repeats: int) -> Iterator[str]:
    yield from (note_text(note, repeats, made.cpuset) for note in made.notes)
    if made.torn:
        yield TORN
    for arm, names in made.differing.items():
        yield (
            f"the identity run of {arm} differs in {' and '.join(names)} from that of shard "
            f"{header.shards[0].shard}, which the report shows"
        )
