"""The notes of a plan as sentences."""

from __future__ import annotations

from rich.filesize import decimal

from kit.plan.model import DUET_CORES, DUET_ON_GPU, FEWER_REPEATS, NO_PILOT, Note


def note_text(note: Note, repeats: int, cpuset: str) -> str:
    """Return a note on a plan as a sentence.

    ``repeats`` are those of each run of the plan, ``cpuset`` its CPUs.
    """
    if note.code == FEWER_REPEATS:
        needed, available = decimal(note.needed_bytes), decimal(note.available_bytes)
        return (
            f"Each run makes {repeats} repeats, not {note.wanted}: {note.wanted} need "
            f"{needed} of memory and {available} are available."
        )
    if note.code == NO_PILOT:
        return "Without a pilot the design is alternating."
    return f"The design is alternating: {refusal_text(note, cpuset)}."


def refusal_text(note: Note, cpuset: str) -> str:
    """Return why duet blocks are not possible for runs with those CPUs, as part of a sentence."""
    if note.code == DUET_ON_GPU:
        return "the runs of CUDA arms would share one GPU"
    if note.code == DUET_CORES:
        return f"CPUs {cpuset} do not make two equal sets of cores"
    return (
        f"two runs at a time need {decimal(note.needed_bytes)} of memory, "
        f"{decimal(note.available_bytes)} are available"
    )
