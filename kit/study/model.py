"""The study as frozen values: workload, arms, protocol, published numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CPU, CUDA = "cpu", "cuda"
"""The variants of an arm."""


@dataclass(frozen=True)
class Layer:
    """One layer of the model. ``units`` and ``activation`` are for dense only."""

    type: str
    units: int | None = None
    activation: str | None = None


@dataclass(frozen=True)
class Workload:
    """The one piece of work every arm does. Images are divided by ``scale``."""

    dataset: str
    scale: float
    layers: tuple[Layer, ...]
    optimizer: str
    loss: str
    metrics: tuple[str, ...]
    batch_size: int
    epochs: int


@dataclass(frozen=True)
class Arm:
    """One stack in one variant."""

    name: str
    stack: str
    variant: str


@dataclass(frozen=True)
class Tier:
    """How much to measure: ``blocks`` containers an arm, ``repeats`` fits in each."""

    name: str
    blocks: int
    repeats: int


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
class Protocol:
    """How the study is measured."""

    tiers: Mapping[str, Tier]
    published_repeats: int
    minimum_repeats: int
    identity_seed: int
    run_timeout_s: float
    memory: MemoryNeed
    disk_bytes: Mapping[str, int]
    """What building the images of a variant takes."""
    cost: Cost
    env: Mapping[str, str]
    """Environment given to every arm alike."""


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


@dataclass(frozen=True)
class Claim:
    """One measured claim: ``statistic`` of a run's fits, published gain in percent.

    The gain is ``100 * (python - dotnet) / python``, the paper's own form.
    """

    id: str
    statement: str
    where: str
    statistic: str
    published_gain_percent: float
    band_percent: Range
    """Gains (in percent) that count as the claim's own size."""


@dataclass(frozen=True)
class ExecutableClaim:
    """That the program can be handed out as an executable; tested by running it."""

    id: str
    statement: str
    where: str


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


@dataclass(frozen=True)
class Paper:
    """What the paper says of itself: citation and environment."""

    citation: str
    environment: Mapping[str, str]
    """Component to what the paper names; the fidelity table's wanted column."""
    figures: Mapping[str, Published]
    """By stack (python, dotnet), from the figures; the text rounds them."""
    last_epoch_loss: Range
    last_epoch_accuracy: Range


@dataclass(frozen=True)
class Study:
    """A published result to check."""

    id: str
    title: str
    paper: Paper
    workload: Workload
    arms: Mapping[str, Arm]
    protocol: Protocol
    claims: tuple[Claim, ...]
    executable: tuple[ExecutableClaim, ...]
    consistency: tuple[ConsistencyClaim, ...]
    sha256: str
    """Of study.yaml and claims.yaml, so that results name what they checked."""
