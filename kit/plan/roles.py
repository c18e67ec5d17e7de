"""The role of a run: its purpose, and how it differs from a main run.

A session compares the main runs, with controls that test what the comparison can detect.
In an explanation of the same work each role changes one thing.
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
"""Roles of runs; a control's reference is its partner in duet blocks."""
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
"""Slowdown of the positive control, in percent; the spec does not allow more."""


@dataclass(frozen=True)
class Conditions:
    """Changes in the program's own behaviour; see spec.schema.json."""

    slowdown_percent: float = 0.0
    progress: bool = True
    probe: bool = False
    keep: bool = False


@dataclass(frozen=True)
class Role:
    """The role of a run. ``conditions`` go into its spec.

    ``terminal`` and ``env`` are its container's. ``both``: runs of either stack have the role;
    otherwise only the baseline's.
    """

    name: RoleName
    description: str
    conditions: Conditions = field(default_factory=Conditions)
    terminal: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    on_both_arms: bool = False


_ROLES = (
    Role(MAIN, "as published", on_both_arms=True),
    Role(PILOT, "the same, to tell the spread; not judged", on_both_arms=True),
    Role(PLACEBO, "the baseline once more: it must not differ from itself"),
    Role(SLOWED, "the baseline made slower by the size of the claim: that must be found"),
    Role(QUIET, "without progress output", Conditions(progress=False), on_both_arms=True),
    Role(TERMINAL, "with a terminal for its progress output", terminal=True, on_both_arms=True),
    Role(PROBE, "the fit timed inside the library too", Conditions(probe=True), on_both_arms=True),
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
        on_both_arms=True,
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
    """Return the slowdown of the positive control, in percent of the baseline's time.

    It equals the effect of the lead claim, or the margin of a claim of equality: a session that
    cannot detect so much cannot judge the claim. It is limited to ``MIN_SLOWDOWN`` and
    ``MAX_SLOWDOWN``: a smaller one takes many more blocks than the direction of the claims.
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
    """Return the conditions of a run of that role in that study.

    Raise InputError for an unknown role.
    """
    conditions = role_of(name).conditions
    if name == SLOWED:
        return replace(conditions, slowdown_percent=slowdown_percent(study))
    return conditions


def reference_of(control: RoleName) -> RoleName:
    """Return the role of the run that a control is compared with, its partner in duet blocks."""
    return _REFERENCES[control]


def roles_named(names: Iterable[str]) -> tuple[RoleName, ...]:
    """Return the roles of those names. Raise InputError for an unknown one."""
    return tuple(role_of(name).name for name in names)


def role_of(name: str) -> Role:
    """Return the role of that name; the reference of a control counts as a main run.

    Raise InputError for an unknown name.
    """
    if name in _REFERENCES.values():
        return ROLES[MAIN]
    if name not in _BY_NAME:
        raise InputError(f"{name!r} is not a role of a run", f"use some of: {', '.join(ROLES)}")
    return _BY_NAME[name]
