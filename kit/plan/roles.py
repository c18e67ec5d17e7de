"""What a run is for: its role, and what is different about it.

A session compares: the main runs, with the controls that show what the comparison
can see. An explanation takes the same work apart: each role changes one thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from kit.errors import InputError
from kit.study.model import Study, lead_claim

RoleName = Literal[
    "main", "pilot", "placebo", "slowed", "quiet", "terminal", "probe", "kept", "allocator",
    "placebo-reference", "slowed-reference",
]  # fmt: skip
"""What a run is for; a control's reference is its own partner in duet blocks."""
MAIN: Final = "main"
PILOT: Final = "pilot"
PLACEBO: Final = "placebo"
SLOWED: Final = "slowed"
QUIET: Final = "quiet"
TERMINAL: Final = "terminal"
PROBE: Final = "probe"
KEPT: Final = "kept"
ALLOCATOR: Final = "allocator"
MIN_SLOWDOWN, MAX_SLOWDOWN = 5.0, 1000.0
"""Of the positive control, in percent; the spec allows no more."""


@dataclass(frozen=True)
class Conditions:
    """What the program itself does otherwise; see spec.schema.json."""

    slowdown_percent: float = 0.0
    progress: bool = True
    probe: bool = False
    keep: bool = False


@dataclass(frozen=True)
class Role:
    """``conditions`` go into the spec; ``terminal`` and ``env`` are the container's.

    ``both``: runs of either stack have it; else the baseline's alone.
    """

    name: RoleName
    means: str
    conditions: Conditions = field(default_factory=Conditions)
    terminal: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    both: bool = False


_ROLES = (
    Role(MAIN, "as published", both=True),
    Role(PILOT, "the same, to tell the spread; not judged", both=True),
    Role(PLACEBO, "the baseline once more: it must not differ from itself"),
    Role(SLOWED, "the baseline made slower by the size of the claim: that must be found"),
    Role(QUIET, "without progress output", Conditions(progress=False), both=True),
    Role(TERMINAL, "with a terminal for its progress output", terminal=True, both=True),
    Role(PROBE, "the fit timed inside the library too", Conditions(probe=True), both=True),
    Role(
        KEPT,
        "keeps every array to the end, as the contender's binding does",
        Conditions(keep=True),
    ),
    Role(
        ALLOCATOR,
        "freed memory stays with the process instead of going back to the kernel",
        # glibc, mallopt(3): no block by mmap, and the heap's top is never trimmed.
        env={"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "-1"},
        both=True,
    ),
)
ROLES: Mapping[RoleName, Role] = {role.name: role for role in _ROLES}
_BY_NAME: Mapping[str, Role] = {role.name: role for role in _ROLES}
_REFERENCES: Mapping[RoleName, RoleName] = {
    PLACEBO: "placebo-reference",
    SLOWED: "slowed-reference",
}
CONTROLS: tuple[RoleName, ...] = (PLACEBO, SLOWED)


def slowdown_percent(study: Study) -> float:
    """Return by how much the positive control is slowed: as much as the lead claim speaks of.

    A session that cannot find an effect of the claim's own size, or a difference as large as the
    margin of a claim of equality, has no say on the claim. In percent of the baseline's time,
    from ``MIN_SLOWDOWN`` to ``MAX_SLOWDOWN``, for a smaller one takes many more blocks than
    the claims' direction does.
    """
    claim = lead_claim(study.claims)
    gain = 0.0 if claim is None else claim.published_gain_percent
    if gain >= 100:
        return MAX_SLOWDOWN
    # A gain of 50 % halves the time: the same effect the other way doubles it.
    size = 100 * gain / (100 - gain) if gain > 0 else -gain
    if claim is not None and claim.equal_within_percent is not None:
        size = claim.equal_within_percent
    return round(min(max(size, MIN_SLOWDOWN), MAX_SLOWDOWN), 2)


def conditions_of(name: str, study: Study) -> Conditions:
    """Return what a program does otherwise in a run of that role of that study."""
    conditions = role_of(name).conditions
    if name == SLOWED:
        return replace(conditions, slowdown_percent=slowdown_percent(study))
    return conditions


def reference_of(control: RoleName) -> RoleName:
    """Return the role of a control's own partner, where it has one: in duet blocks."""
    return _REFERENCES[control]


def named(names: Iterable[str]) -> tuple[RoleName, ...]:
    """Return the roles that a study names. Raise InputError for an unknown one."""
    return tuple(role_of(name).name for name in names)


def role_of(name: str) -> Role:
    """Return the role of that name; a control's reference is a main run. Raise InputError."""
    if name in _REFERENCES.values():
        return ROLES[MAIN]
    if name not in _BY_NAME:
        raise InputError(f"{name!r} is not a role of a run", f"use some of: {', '.join(ROLES)}")
    return _BY_NAME[name]
