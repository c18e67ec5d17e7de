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
    """One stack in one variant. ``recipe`` is the folder of its own Dockerfile.

    Without one the kit's recipe of that stack's name is built.
    """

    name: str
    stack: str
    variant: Variant
    recipe: Path | None = None


def by_stack_and_variant(arms: Iterable[Arm], where: str) -> dict[tuple[str, str], Arm]:
    """Return the one arm of each stack and variant, in the order given.

    Raises InputError naming ``where`` and both arms for two of the same stack and variant:
    a comparison holds one of them, and the other would be lost without a word.
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
    """How much to measure: ``blocks`` containers an arm, ``repeats`` fits in each.

    With a ``pilot`` of so many blocks their number is planned from its spread, for that
    ``power``, up to ``blocks``. ``controls`` are the control runs of every block.
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
        """Bytes that a run of so many repeats needs."""
        return self.base_bytes + repeats * self.per_repeat_bytes


@dataclass(frozen=True)
class Cost:
    """Rough seconds, for time budgets only; never used in a verdict."""

    run_overhead_s: float
    fit_s: float


@dataclass(frozen=True)
class SameWorkRules:
    """What must be equal in all arms: versions by name, and the checks by name."""

    versions: tuple[str, ...]
    checks: tuple[str, ...]


@dataclass(frozen=True)
class Protocol:
    """How the study is measured."""

    tiers: Mapping[str, Tier]
    published_repeats: int
    minimum_repeats: int
    identity_seed: int
    same_work: SameWorkRules
    run_timeout_s: float
    memory: MemoryNeed
    disk_bytes: Mapping[str, int]
    """What building the images of a variant takes."""
    cost: Cost
    env: Mapping[str, str]
    """Environment given to every arm alike."""
    explain: tuple[str, ...] = ()
    """Roles that change one thing in an explanation, as far as the programs can."""


@dataclass(frozen=True)
class Published:
    """Seconds of one published row of fits, and where it stands."""

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
    """A direction of an effect: what the contender is, next to the baseline."""

    FASTER = "faster"
    SLOWER = "slower"
    EQUAL = "equal"


def equality_band(percent: float) -> Range:
    """Return the gains at which neither arm takes more than so many percent longer.

    The margin is symmetric in the log ratio, plus and minus log(1 + percent/100), so the verdict
    stays the same when the arms are swapped.
    """
    return Range(-percent, 100 * percent / (100 + percent))


@dataclass(frozen=True)
class Claim:
    """One measured claim: ``statistic`` of a run's fits, published gain in percent.

    The gain is ``100 * (baseline - contender) / baseline``, the paper's own form. A gain of 0 is
    a claim of equality: its band is its margin, as ``equality_band`` gives it.
    """

    id: str
    statement: str
    where: str
    statistic: str
    published_gain_percent: float
    band_percent: Range
    """Gains (in percent) that count as the claim's own size."""
    needs: str = ""
    """What a test of it takes."""

    @property
    def direction(self) -> Direction:
        """What the claim says of the contender."""
        if self.published_gain_percent == 0:
            return Direction.EQUAL
        return Direction.FASTER if self.published_gain_percent > 0 else Direction.SLOWER

    @property
    def equal_within_percent(self) -> float | None:
        """The margin of a claim of equality; None for a claim of a gain."""
        return -self.band_percent.low if self.direction is Direction.EQUAL else None


@dataclass(frozen=True)
class ExecutableClaim:
    """That the program can be handed out as an executable; tested by running it."""

    id: str
    statement: str
    where: str
    needs: str


@dataclass(frozen=True)
class TrainingClaim:
    """That the stacks train equally well, to the paper's last epoch."""

    id: str
    statement: str
    where: str
    needs: str


@dataclass(frozen=True)
class ConsistencyClaim:
    """Something the paper's own numbers must agree on. ``rule`` says which way.

    The rules and the facts each needs: ``kit.judge.consistency``, claims.schema.json.
    """

    id: str
    statement: str
    where: str
    rule: str
    facts: Mapping[str, Any]
    needs: str = "the published numbers alone"


@dataclass(frozen=True)
class Paper:
    """What the paper says of itself: citation and environment."""

    citation: str
    environment: Mapping[str, str]
    """Component to what the paper names; the fidelity table's wanted column."""
    claimed: tuple[str, ...]
    """Components the claims are about: a substitute for one makes verdicts indicative."""
    figures: Mapping[str, Published]
    """By stack, from the figures; the text rounds them."""
    last_epoch: Mapping[str, Range]
    """By quantity (loss, accuracy); empty where the paper trains nothing."""
    training_remark: str = ""
    """What is known from outside the paper and belongs beside the training's numbers."""


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
    """The one piece of work every arm does, as JSON values; what it must hold is said
    by the study's own workload.schema.json."""
    arms: Mapping[str, Arm]
    protocol: Protocol
    claims: tuple[Claim, ...]
    executable: tuple[ExecutableClaim, ...]
    training: tuple[TrainingClaim, ...]
    consistency: tuple[ConsistencyClaim, ...]
    sha256: str
    """Of everything in the study's folder, so that results name what they checked."""
    folder: Path | None = None
    """Where it was read from."""


def lead_claim(claims: Sequence[Claim]) -> Claim | None:
    """Return the claim a session is planned for: the average's, else the first."""
    return next((c for c in claims if c.statistic == "mean"), next(iter(claims), None))


def arm_of(study: Study, name: str) -> Arm:
    """Return the arm of that name. Raise InputError for one that the study does not have."""
    if name not in study.arms:
        raise InputError(
            f"{name!r} is not an arm of study {study.id}", f"use some of: {', '.join(study.arms)}"
        )
    return study.arms[name]
