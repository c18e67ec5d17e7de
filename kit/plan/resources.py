"""The CPUs and the memory of a run, from those available and those requested.

Sets of CPUs are written as kernel and engine write them, cpuset(7): "0", "0-3", "0-1,4-5".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol as Interface

from rich.filesize import decimal

from kit.errors import HostError, InputError
from kit.plan.model import (
    ALTERNATING,
    DUET_CORES,
    DUET_MEMORY,
    DUET_ON_GPU,
    FEWER_REPEATS,
    NO_PILOT,
    Design,
    Note,
    Plan,
)
from kit.study.model import Protocol

# The engine, the driver and the page cache need some memory; without it the kernel
# would kill a run before the run reaches its limit.
KEPT_FOR_HOST = 0.1
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


class Capacity(Interface):
    """An interface to facts on the engine's machine, as the engine reports them."""

    @property
    def cpus(self) -> int:
        """Return the number of CPUs of the engine's machine."""

    @property
    def memory_bytes(self) -> int:
        """Return the total memory of the engine's machine."""

    @property
    def local(self) -> bool:
        """Return whether the engine's machine is the one that this process runs on."""


@dataclass(frozen=True)
class Resources:
    """CPUs and memory for runs. ``memory_bytes`` is available to one run at a time.

    ``halves`` are two disjoint cpusets with equal numbers of cores; None if not possible.
    """

    cpuset: str
    memory_bytes: int
    halves: tuple[str, str] | None = None


UNLIMITED = Resources("0-1", 2**63, ("0", "1"))
"""A machine without shortage: a plan that is impossible on it is impossible on any."""


@dataclass(frozen=True)
class ResourceRequest:
    """The user's request of CPUs and memory; 0 where the user requested nothing."""

    cpus: int = 0
    memory_bytes: int = 0


def parse_memory(text: str) -> int:
    """Return the bytes of "8g", "900m" (powers of 1000, either case) or a plain number.

    Raises InputError for other text.
    """
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,9})?)([kmg]?)b?", text.strip().lower())
    size = int(float(match.group(1)) * _UNITS[match.group(2)]) if match else 0
    if size < 1:
        raise InputError(f"--memory: {text!r} is not a size", "give a size such as 8g or 900m")
    return size


def resources(
    engine: Capacity,
    available_bytes: int,
    requested: ResourceRequest,
    cores: Sequence[Sequence[int]] = (),
) -> Resources:
    """Return CPUs 0 to n-1 and the memory for runs.

    ``available_bytes`` is the free memory of the driver's machine, and ``cores`` are its
    cores (the CPUs of each, several where a core runs several threads); both count only
    where the engine runs on the same machine. Raises HostError where the request exceeds
    the available CPUs or memory.
    """
    if requested.cpus > engine.cpus:
        raise HostError(
            f"--cpus: {requested.cpus} are requested, the engine's machine has {engine.cpus}",
            f"give at most {engine.cpus}",
        )
    cpus = requested.cpus or engine.cpus
    free = min(available_bytes, engine.memory_bytes) if engine.local else engine.memory_bytes
    available = int(free * (1 - KEPT_FOR_HOST))
    if requested.memory_bytes > available:
        raise HostError(
            f"--memory: {decimal(requested.memory_bytes)} are requested, "
            f"{decimal(available)} are available",
            "free memory or request less",
        )
    known = cores if engine.local and cores else [(cpu,) for cpu in range(cpus)]
    return Resources(
        cpuset=cpuset_of(range(cpus)),
        # In steps, so that a difference of a few megabytes does not change the plan.
        memory_bytes=requested.memory_bytes or available // 10**8 * 10**8,
        halves=halves(known, cpus),
    )


def refuse_shortage(plan: Plan, engine: Capacity, available_bytes: int) -> None:
    """Raise HostError where the machine now lacks what the plan gives its runs.

    ``available_bytes`` is as for `resources`. The host's share is not subtracted again: the
    plan already did.
    """
    together = 2 if any(run.pair is not None for run in plan.runs) else 1
    needed = together * plan.limits.memory_bytes
    free = min(available_bytes, engine.memory_bytes) if engine.local else engine.memory_bytes
    if needed > free:
        raise HostError(
            f"memory: the plan gives its runs {decimal(needed)}, {decimal(free)} are free",
            "free memory and repeat; a new session plans with what there is",
        )
    sets = {plan.limits.cpuset, *(run.cpuset for run in plan.runs if run.cpuset is not None)}
    last = max(max(cpus_of(cpuset)) for cpuset in sets)
    if last >= engine.cpus:
        raise HostError(
            f"CPU {last} is one of the plan's, the engine's machine has {engine.cpus} CPUs",
            "go on where the session began, or start a new one here",
        )


def halves(cores: Sequence[Sequence[int]], cpus: int) -> tuple[str, str] | None:
    """Return two disjoint cpusets of equally many complete cores among CPUs 0 to ``cpus`` - 1.

    Threads of one core stay in one set: the pair of a duet must not share a core.
    None where there are fewer than two cores with the most threads.
    """
    complete = [tuple(core) for core in cores if all(cpu < cpus for cpu in core)]
    size = max((len(core) for core in complete), default=0)
    equal = sorted(core for core in complete if len(core) == size)
    half = len(equal) // 2
    if half == 0:
        return None
    first, second = equal[:half], equal[half : 2 * half]
    return cpuset_of(cpu for core in first for cpu in core), cpuset_of(
        cpu for core in second for cpu in core
    )


def memory_of_a_run(available: Resources, design: Design) -> int:
    """Return the memory of one run in bytes: all of it if the design is alternating, or half."""
    if design == ALTERNATING:
        return available.memory_bytes
    return available.memory_bytes // 2 // 10**8 * 10**8


def refuse_duet(available: Resources, protocol: Protocol, on_gpu: bool) -> Note | None:
    """Return a note on why two runs cannot run at the same time here; None where they can."""
    if on_gpu:
        return Note(DUET_ON_GPU)
    if available.halves is None:
        return Note(DUET_CORES)
    needed = protocol.memory.of(protocol.minimum_repeats)
    half = available.memory_bytes // 2
    if needed > half:
        return Note(DUET_MEMORY, needed_bytes=2 * needed, available_bytes=available.memory_bytes)
    return None


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
    """Return, as part of a sentence, why two runs at a time (a duet) are not possible.

    ``note`` is the one of ``refuse_duet``, ``cpuset`` the CPUs of each run.
    """
    if note.code == DUET_ON_GPU:
        return "the runs of CUDA arms would share one GPU"
    if note.code == DUET_CORES:
        return f"CPUs {cpuset} do not make two equal sets of cores"
    return (
        f"two runs at a time need {decimal(note.needed_bytes)} of memory, "
        f"{decimal(note.available_bytes)} are available"
    )


def cpus_of(cpuset: str) -> tuple[int, ...]:
    """Return the numbers of the CPUs in a set such as "0-1,4", in its order.

    Raise ValueError for an invalid set.
    """
    found: list[int] = []
    for span in cpuset.split(","):
        first, _, last = span.partition("-")
        found += range(int(first), int(last or first) + 1)
    return tuple(found)


def cpuset_of(cpus: Iterable[int]) -> str:
    """Return the set of these CPU numbers as text, such as "0-1,4"."""
    spans: list[list[int]] = []
    for cpu in sorted(cpus):
        if spans and cpu == spans[-1][1] + 1:
            spans[-1][1] = cpu
        else:
            spans.append([cpu, cpu])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)
