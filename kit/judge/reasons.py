"""Reasons for verdicts and for results of controls: one class per case, with its numbers.

The sentences for them are in `kit.report`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kit.judge.missing import Lack
from kit.judge.statistics import Interval
from kit.judge.throttling import ThrottledArm
from kit.judge.words import Word
from kit.plan.roles import RoleName
from kit.study.model import Range

Side = Literal["below", "above"]
Aim = Literal["effect", "size", "equality"]
"""What more blocks would show: an effect of the published size, only its size, equal arms."""


@dataclass(frozen=True)
class Missing:
    """The things missing for the claim to be tested."""

    what: tuple[Lack, ...]


@dataclass(frozen=True)
class OtherWork:
    """The arms did not do the same work, by these checks."""

    checks: tuple[str, ...]


@dataclass(frozen=True)
class TooFewPairs:
    """There are fewer complete pairs than the ``needed`` ones for an interval."""

    pairs: int
    needed: int = 2


@dataclass(frozen=True)
class InBand:
    """The interval excludes 0 as claimed and lies within the claim's band, in percent."""

    band: Range


@dataclass(frozen=True)
class Equal:
    """Two one-sided tests put the effect within what counts as equal."""


@dataclass(frozen=True)
class PerhapsEqual:
    """The interval excludes 0, but not what counts as equal."""


@dataclass(frozen=True)
class SizeOpen:
    """The interval excludes 0 as claimed; part of it lies outside the claim's band."""

    band: Range


@dataclass(frozen=True)
class SizeDiffers:
    """The interval excludes 0 as claimed; all of it lies on that side of the claim's band."""

    side: Side
    band: Range


@dataclass(frozen=True)
class Against:
    """The interval excludes 0 against the claim."""


@dataclass(frozen=True)
class ByChance:
    """The interval excludes 0, but after Holm's adjustment the test is not significant."""

    holm_p: float


@dataclass(frozen=True)
class TooWide:
    """The interval includes 0, and also gains that do not count as equal."""


@dataclass(frozen=True)
class InMargin:
    """Two one-sided tests put the effect inside the claim's margin, in percent."""

    margin: float


@dataclass(frozen=True)
class BeyondMargin:
    """The t test puts the effect beyond the claim's margin, in percent."""

    margin: float


@dataclass(frozen=True)
class BeyondByChance:
    """The interval lies beyond the margin; after Holm's adjustment the test is not significant."""

    margin: float
    holm_p: float


@dataclass(frozen=True)
class MarginOpen:
    """The effect may lie inside the margin or beyond it."""

    margin: float
    holm_p: float


Untested = Missing | OtherWork | TooFewPairs
OfGain = InBand | Equal | PerhapsEqual | SizeOpen | SizeDiffers | Against | ByChance | TooWide
OfEquality = InMargin | BeyondMargin | BeyondByChance | MarginOpen
Uncapped = Untested | OfGain | OfEquality


@dataclass(frozen=True)
class PlaceboHeld:
    """No statistic of a claim differs; the smallest p value after Holm's adjustment."""

    least_p: float


@dataclass(frozen=True)
class PlaceboDiffers:
    """An arm differs from itself in that statistic; its p value after Holm's adjustment."""

    statistic: str
    p: float


@dataclass(frozen=True)
class Slowdown:
    """A known slowdown in percent, and its measurement: gain and interval in percent."""

    known: float
    gain: float
    interval: Interval


@dataclass(frozen=True)
class SlowdownFound:
    """The known slowdown is found, with its own size."""

    slowdown: Slowdown


@dataclass(frozen=True)
class SlowdownMissed:
    """The known slowdown is not found."""

    slowdown: Slowdown


@dataclass(frozen=True)
class SlowdownElsewhere:
    """The known slowdown is found, with another size."""

    slowdown: Slowdown


ControlReason = (
    TooFewPairs | PlaceboHeld | PlaceboDiffers | SlowdownFound | SlowdownMissed | SlowdownElsewhere
)


@dataclass(frozen=True)
class FailedControl:
    """A control that does not hold, by its role."""

    role: RoleName
    reason: ControlReason


@dataclass(frozen=True)
class Capped:
    """The session shows that its times decide nothing; ``without`` is the word without that.

    Controls do not hold, or a CPU quota from outside throttled the arms unequally.
    """

    controls: tuple[FailedControl, ...]
    throttled: tuple[ThrottledArm, ...]
    without: Word
    reason: Uncapped


ClaimReason = Uncapped | Capped


@dataclass(frozen=True)
class StillOpen:
    """The blocks that would settle what a word leaves open; None: unknown or too many.

    ``size_blocks`` would settle the size of an effect too, if that takes more blocks.
    """

    aim: Aim
    blocks: int | None
    pairs: int
    """The pairs that this session has."""
    size_blocks: int | None = None


@dataclass(frozen=True)
class NothingTrained:
    """No block is complete, or the paper gives no range."""


@dataclass(frozen=True)
class Means:
    """The means over the blocks of the two arms' last-epoch values, and the paper's range."""

    baseline: float
    contender: float
    paper: Range


@dataclass(frozen=True)
class NotFinite:
    """A fit has no finite value."""


@dataclass(frozen=True)
class OneBlock:
    """There is only one block, which cannot show whether the arms are equal."""

    means: Means


@dataclass(frozen=True)
class MeansDiffer:
    """The arms differ by more than the width of the paper's range."""

    means: Means


@dataclass(frozen=True)
class TooFewBlocks:
    """There are too few blocks to call the arms equal."""

    means: Means


@dataclass(frozen=True)
class EqualInRange:
    """The arms are equal, and in the paper's range."""

    means: Means


@dataclass(frozen=True)
class EqualElsewhere:
    """The arms are equal, but outside the paper's range."""

    means: Means


QuantityReason = NotFinite | OneBlock | MeansDiffer | TooFewBlocks | EqualInRange | EqualElsewhere


@dataclass(frozen=True)
class ByQuantity:
    """The reason for each quantity: loss, accuracy."""

    reasons: tuple[tuple[str, QuantityReason], ...]


TrainingReason = Missing | NothingTrained | OtherWork | ByQuantity


@dataclass(frozen=True)
class NotRun:
    """No executable was built or run."""


@dataclass(frozen=True)
class ExecutableTrained:
    """An executable of that kind trained on its own."""

    kind: str


@dataclass(frozen=True)
class ExecutableMisses:
    """An executable of that kind lacks ``what`` and does not train."""

    kind: str
    what: str


@dataclass(frozen=True)
class ExecutableFails:
    """An executable of that kind starts, but does not train."""

    kind: str
    exit_code: int | None


@dataclass(frozen=True)
class NoStart:
    """An executable of that kind does not start."""

    kind: str
    exit_code: int | None


ExecutableReason = NotRun | ExecutableTrained | ExecutableMisses | ExecutableFails | NoStart
