"""The study as frozen values: workload, arms, protocol, published numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final, Literal

from kit.errors import InputError

Variant = Literal["cpu", "cuda"]
CPU: Final = "cpu"
CUDA: Final = "cuda"
"""The variants of an arm."""


@dataclass(frozen=True)
class Arm:
    """One stack in one variant. ``recipe`` is the folder of its Dockerfile in the study.

    Without one, kit builds the recipe of that stack's name that ships with kit.
    """

    name: str
    stack: str
    variant: Variant
    recipe: Path | None = None


def by_stack_and_variant(arms: Iterable[Arm], where: str) -> dict[tuple[str, str], Arm]:
    """Return the arms by (stack, variant), in the order given.

    Raises InputError naming ``where`` and both arms for two of the same stack and variant: a
    comparison has one of them, and would silently drop the other.
    """
    found: dict[tuple[str, str], Arm] = {}
    for arm in arms:
        first = found.setdefault((arm.stack, arm.variant), arm)
        if first is not arm:
            raise InputError(
                f"{where}: arms {first.name} and {arm.name} are both stack {arm.stack}, "
                f"variant {arm.variant}",
                "keep one of them, or make a study for each: a comparison has one arm a stack",
            )
    return found


@dataclass(frozen=True)
class Tier:
    """An amount to measure, by name: at most ``blocks`` containers per arm, ``repeats`` fits each.

    ``pilot`` counts the pilot's blocks, where a plan has one: to choose between designs, or in
    logs of form 6 to fix the number of judged blocks for that ``power``. ``controls`` are the
    control runs of every block.
    """

    name: str
    blocks: int
    repeats: int
    controls: tuple[str, ...] = ()
    pilot: int | None = None
    power: float = 0.8


@dataclass(frozen=True)
class MemoryNeed:
    """Resident memory of a run: ``base_bytes + repeats * per_repeat_bytes``."""

    base_bytes: int
    per_repeat_bytes: int

    def of(self, repeats: int) -> int:
        """Return the bytes of memory that a run of so many repeats needs."""
        return self.base_bytes + repeats * self.per_repeat_bytes


@dataclass(frozen=True)
class Cost:
    """Estimated seconds of a run's parts, for time budgets only; never used in a verdict."""

    run_overhead_s: float
    fit_s: float


@dataclass(frozen=True)
class SameWorkRules:
    """The versions and the checks, by name, that must be equal in all arms."""

    versions: tuple[str, ...]
    checks: tuple[str, ...]


@dataclass(frozen=True)
class Protocol:
    """The study's rules for measuring."""

    tiers: Mapping[str, Tier]
    published_repeats: int
    minimum_repeats: int
    identity_seed: int
    same_work: SameWorkRules
    run_timeout_s: float
    memory: MemoryNeed
    disk_bytes: Mapping[str, int]
    """Bytes that building the images takes, by variant."""
    cost: Cost
    env: Mapping[str, str]
    """Environment given to every arm alike."""
    explain: tuple[str, ...] = ()
    """Roles of an explanation, each of which changes one thing, that the programs support."""


@dataclass(frozen=True)
class Published:
    """Seconds of one published row of fits, and its place in the publication."""

    where: str
    minimum: float
    maximum: float
    mean: float
    total: float


@dataclass(frozen=True)
class Range:
    """A closed range, low to high."""

    low: float
    high: float


class Direction(str, Enum):
    """A direction of an effect: the contender compared with the baseline."""

    FASTER = "faster"
    SLOWER = "slower"
    EQUAL = "equal"


def equality_band(percent: float) -> Range:
    """Return the gains at which neither arm takes more than ``percent`` longer than the other.

    The margin is symmetric in the log ratio, plus and minus log(1 + percent/100), so the verdict
    stays the same when the arms are swapped.
    """
    return Range(-percent, 100 * percent / (100 + percent))


@dataclass(frozen=True)
class Claim:
    """One measured claim: ``statistic`` of a run's fits, published gain in percent.

    The gain is ``100 * (baseline - contender) / baseline``, as in the paper. A gain of 0 is a
    claim of equality: its band is its margin, computed by ``equality_band``.
    """

    id: str
    statement: str
    where: str
    statistic: str
    published_gain_percent: float
    band_percent: Range
    """Gains in percent that count as the published size."""
    needs: str = ""
    """The requirements of a test of it, in words."""

    @property
    def direction(self) -> Direction:
        """Return the claimed direction of the effect."""
        if self.published_gain_percent == 0:
            return Direction.EQUAL
        return Direction.FASTER if self.published_gain_percent > 0 else Direction.SLOWER

    @property
    def equal_within_percent(self) -> float | None:
        """Return the margin of a claim of equality; None for a claim of a gain."""
        return -self.band_percent.low if self.direction is Direction.EQUAL else None


@dataclass(frozen=True)
class ExecutableClaim:
    """A claim that the program can be distributed as an executable; tested by running it."""

    id: str
    statement: str
    where: str
    needs: str


@dataclass(frozen=True)
class TrainingClaim:
    """A claim that the stacks train equally well, to the paper's last epoch."""

    id: str
    statement: str
    where: str
    needs: str


@dataclass(frozen=True)
class ConsistencyClaim:
    """A claim on the consistency of the paper's own numbers; ``rule`` names the check.

    The rules and the facts of each: ``kit.judge.consistency``, claims.schema.json.
    """

    id: str
    statement: str
    where: str
    rule: str
    facts: Mapping[str, Any]
    needs: str = "the published numbers alone"


@dataclass(frozen=True)
class Paper:
    """The paper's citation, environment and published numbers."""

    citation: str
    environment: Mapping[str, str]
    """Each component's product and version in the paper; the fidelity table's wanted column."""
    claimed: tuple[str, ...]
    """Components that the claims are about: a substitute for one makes verdicts indicative."""
    figures: Mapping[str, Published]
    """Published seconds by stack, from the figures; the text rounds them."""
    last_epoch: Mapping[str, Range]
    """Published ranges by quantity (loss, accuracy); empty where the paper trains nothing."""
    training_remark: str = ""
    """A remark from other sources than the paper, printed next to the training's numbers."""


@dataclass(frozen=True)
class Study:
    """A published result to check."""

    id: str
    title: str
    baseline: str
    contender: str
    """The two stacks compared: a gain is of the contender over the baseline."""
    paper: Paper
    workload: Mapping[str, Any]
    """The work that every arm does, as JSON values; the study's own workload.schema.json
    describes it."""
    arms: Mapping[str, Arm]
    protocol: Protocol
    claims: tuple[Claim, ...]
    executable: tuple[ExecutableClaim, ...]
    training: tuple[TrainingClaim, ...]
    consistency: tuple[ConsistencyClaim, ...]
    sha256: str
    """Hash of the study's files, so that results identify the study that they checked."""
    folder: Path | None = None
    """The folder it was read from."""


def lead_claim(claims: Sequence[Claim]) -> Claim | None:
    """Return the claim that a session is planned for: that of the mean, else the first."""
    return next((c for c in claims if c.statistic == "mean"), next(iter(claims), None))


def arm_of(study: Study, name: str) -> Arm:
    """Return the study's arm of that name. Raise InputError for an unknown one."""
    if name not in study.arms:
        raise InputError(
            f"{name!r} is not an arm of study {study.id}", f"use some of: {', '.join(study.arms)}"
        )
    return study.arms[name]
