"""Check that a log holds only the runs of its plan, and each valid one once.

kit identifies runs by id, block, arm and role. It rejects a log in which two runs have
one place, or a run has a place that was not planned.
"""

from __future__ import annotations

from collections.abc import Iterator

from kit.errors import InputError
from kit.plan.coherent import duplicate_runs
from kit.plan.model import PlannedRun
from kit.plan.shard import runs_in_shard
from kit.records.session import RunEntry, Session

_FIELDS = ("block", "position", "arm", "kind", "role", "pair")
_NAMED = 3


def differing_fields(entry: RunEntry, run: PlannedRun) -> tuple[str, ...]:
    """Return the names of the fields in which a run's log entry differs from the planned run."""
    return tuple(name for name in _FIELDS if getattr(entry, name) != getattr(run, name))


def run_mismatches(session: Session) -> Iterator[str]:
    """Yield one line per log entry that is not as planned or repeats a valid one.

    kit makes a run again if it or its partner failed, so only valid entries may not be repeated;
    see ``Session.valid_entry_indices``.
    """
    header = session.header
    yield from duplicate_runs(header.plan.runs)
    planned = {run.run_id: run for run in header.plan.runs}
    here = {run.run_id for run in runs_in_shard(header.plan.runs, header.shard)}
    valid = session.valid_entry_indices()
    good: set[str] = set()
    end = session.looks[-1].runs if session.ending is not None else len(session.entries)
    for index, entry in enumerate(session.entries):
        run = planned.get(entry.run_id)
        if run is None:
            yield f"{entry.run_id} is not planned"
        elif fields := differing_fields(entry, run):
            yield f"{entry.run_id}: its {' and '.join(fields)} is not as planned"
        elif entry.record is not None and len(entry.record.fits) != run.repeats:
            yield f"{entry.run_id}: {len(entry.record.fits)} samples, {run.repeats} are planned"
        elif entry.run_id not in here:
            yield f"{entry.run_id} is not of shard {header.shard}"
        elif index >= end:
            yield f"{entry.run_id} was made after the look that ended the session"
        elif entry.run_id in good:
            yield f"{entry.run_id} is there once more, though it was done"
        if index in valid:
            good.add(entry.run_id)


def refuse_run_mismatches(session: Session, where: str = "") -> None:
    """Raise InputError naming ``where`` (else the session's id) and the first mismatches."""
    found = list(run_mismatches(session))
    if found:
        more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        raise InputError(
            f"{where or f'session {session.header.session_id}'}: its runs are not those of its "
            f"plan: {'; '.join(found[:_NAMED])}{more}",
            "pass the folder as kit wrote it; kit cannot choose between duplicate runs: measure "
            "again in a new session",
        )
