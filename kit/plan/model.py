"""A plan as frozen values: blocks of runs, in order, with their limits and notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from kit.files.documents import values_of
from kit.plan.roles import MAIN, PILOT, RoleName

BlockDesign = Literal["alternating", "duet"]
Design = Literal["alternating", "duet", "auto"]
ALTERNATING: Final = "alternating"
DUET: Final = "duet"
AUTO: Final = "auto"
DESIGNS: tuple[Design, ...] = (ALTERNATING, DUET, AUTO)
"""One container at a time; the two of a pair at the same time; or what the pilot chooses."""
Kind = Literal["identity", "timed"]
IDENTITY: Final = "identity"
TIMED: Final = "timed"
"""A run with a fixed seed that shows which work it does; or one that is measured."""
Purpose = Literal["compare", "explain"]
COMPARE: Final = "compare"
EXPLAIN: Final = "explain"
NoteCode = Literal["fewer-repeats", "duet-on-gpu", "duet-cores", "duet-memory", "no-pilot"]
FEWER_REPEATS: Final = "fewer-repeats"
DUET_ON_GPU: Final = "duet-on-gpu"
DUET_CORES: Final = "duet-cores"
DUET_MEMORY: Final = "duet-memory"
NO_PILOT: Final = "no-pilot"
FORM = 7
"""The form of the run logs that kit writes; up to form 6, ``alternating`` was ``sequential``."""
OLD_ALTERNATING = "sequential"
_RENAMED_SINCE = 7
_OTHER_NAME = {ALTERNATING: OLD_ALTERNATING, OLD_ALTERNATING: ALTERNATING}
MAX_BLOCKS = 10_000
"""Maximum of a tier's blocks in study.schema.json."""


@dataclass(frozen=True)
class Note:
    """A fact on a plan that a reader must know.

    ``wanted`` counts repeats, the bytes are of memory; 0 where the code does not use them. The
    duet codes give the reason why the runs of a pair cannot run at the same time, so that the
    design is alternating.
    """

    code: NoteCode
    wanted: int = 0
    needed_bytes: int = 0
    available_bytes: int = 0


@dataclass(frozen=True)
class PlannedRun:
    """One container to run. ``block`` is -1 for the identity runs, which come first.

    Runs of one block with the same ``pair`` run at the same time, each on its own
    ``cpuset``; None: unpaired, on the plan's cpuset.
    """

    run_id: str
    block: int
    position: int
    arm: str
    kind: Kind
    repeats: int
    seed: int | None
    """The workload's seed: set for identity runs, None for timed ones (as published)."""
    role: RoleName = MAIN
    pair: int | None = None
    cpuset: str | None = None

    @property
    def design(self) -> BlockDesign:
        """Return the design of the run's block."""
        return ALTERNATING if self.pair is None else DUET


@dataclass(frozen=True)
class Limits:
    """The limits of every run of a plan. ``halves`` are the two cpusets of duets."""

    cpuset: str
    memory_bytes: int
    timeout_s: float
    halves: tuple[str, str] | None = None


@dataclass(frozen=True)
class Bounds:
    """Bounds of a plan after its pilot: maximum of blocks, power to reach, minutes in all."""

    blocks: int
    power: float
    minutes: int | None


@dataclass(frozen=True)
class Looks:
    """Looks at a session after each of its blocks from the ``first`` to the last, ``most``.

    ``shape`` is that of the boundaries, see ``kit.judge.looks``: 0 is O'Brien and Fleming's, 1/2
    Pocock's.
    """

    most: int
    first: int
    shape: float


Until = Literal["size", "direction"]
SIZE: Final = "size"
DIRECTION: Final = "direction"
"""What a group-sequential session settles: direction and size of the lead claim; or the first."""


@dataclass(frozen=True)
class Stopping:
    """The rule that ends a group-sequential session; it stands before the first block.

    It looks at the lead claim after each block from ``first_look`` on, with boundaries of that
    ``shape`` (see ``Looks``), and ends when the claim is settled, when the chance to settle it
    within the plan's blocks is below ``futility``, or when the next block would end after
    ``minutes`` (None: no limit).
    """

    first_look: int
    shape: float
    futility: float
    until: Until
    minutes: int | None = None


@dataclass(frozen=True)
class Plan:
    """All runs of a session, in order, which is random by ``seed``.

    ``pilot`` counts the pilot's blocks (of each design that it tries); 0 without a pilot.
    ``blocks`` counts the judged blocks; 0 until the pilot has fixed their number. With
    ``stopping`` it is the most that are made; None: all of them are, and judged once.
    """

    study_id: str
    study_sha256: str
    tier: str
    seed: int
    arms: tuple[str, ...]
    blocks: int
    repeats: int
    limits: Limits
    runs: tuple[PlannedRun, ...]
    notes: tuple[Note, ...]
    design: Design = ALTERNATING
    roles: tuple[RoleName, ...] = (MAIN,)
    """Roles of the runs of every judged block."""
    pilot: int = 0
    bounds: Bounds | None = None
    purpose: Purpose = COMPARE
    stopping: Stopping | None = None

    @property
    def looks(self) -> Looks | None:
        """Return the looks at a group-sequential session; None: one look, at its end.

        None too before a pilot has chosen the design.
        """
        rule = self.stopping
        if rule is None or not self.blocks:
            return None
        return Looks(self.blocks, rule.first_look, rule.shape)

    @property
    def first_judged(self) -> int:
        """Return the number of the first block that is judged, after those of a pilot."""
        return max((run.block + 1 for run in self.runs if run.role == PILOT), default=0)


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return the plan as JSON values; a plan without a stopping rule has no field for one.

    So a plan that a kit without such rules wrote has the same document and hash.
    """
    document = values_of(plan)
    if plan.stopping is None:
        del document["stopping"]
    return document


def plan_from(document: Mapping[str, Any]) -> Plan:
    """Return the plan of JSON values from ``plan_document``.

    Raises KeyError or TypeError for other values.
    """
    values = dict(document)
    for name in ("arms", "roles"):
        values[name] = tuple(values[name])
    limits = dict(values["limits"])
    limits["halves"] = None if limits["halves"] is None else tuple(limits["halves"])
    values["limits"] = Limits(**limits)
    values["notes"] = tuple(Note(**note) for note in values["notes"])
    values["runs"] = tuple(PlannedRun(**run) for run in values["runs"])
    values["bounds"] = None if values["bounds"] is None else Bounds(**values["bounds"])
    rule = values.pop("stopping", None)
    values["stopping"] = None if rule is None else Stopping(**rule)
    return Plan(**values)


def in_form(document: Any, form: int) -> Any:
    """Return the JSON values of a plan or outlook with the names of designs in that form of log.

    It exchanges the two names, so it also gives a log's values today's names; a name that the
    form does not have becomes one that no schema accepts. Other values return unchanged.
    """
    if form >= _RENAMED_SINCE or not isinstance(document, Mapping):
        return document
    named = dict(document)
    if isinstance(named.get("design"), str):
        named["design"] = _OTHER_NAME.get(named["design"], named["design"])
    if isinstance(named.get("designs"), (list, tuple)):
        named["designs"] = [in_form(each, form) for each in named["designs"]]
    return named
