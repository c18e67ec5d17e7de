"""One same-work check: what was compared, and every difference found, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

CheckName = Literal[
    "arms",
    "identity runs",
    "versions",
    "data",
    "tensors",
    "model config",
    "initial weights",
    "loss trajectory",
    "native libraries",
    "wheels",
    "timed runs",
    "fits",
]
Part = Literal["data", "tensors", "model config", "number of epochs"]
"""What a timed run has in common with its arm's identity run."""


@dataclass(frozen=True)
class FewArms:
    """Too few to compare: one, or none."""

    arms: int


@dataclass(frozen=True)
class IdentityRuns:
    """A good identity run of each of these arms."""

    arms: tuple[str, ...]


@dataclass(frozen=True)
class Versions:
    """Those of these packages."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Values:
    """So many hashes or numbers, by what they are of."""

    count: int
    of: Literal["payloads", "arrays", "values"]


@dataclass(frozen=True)
class OneHash:
    """One hash of each arm."""


@dataclass(frozen=True)
class Libraries:
    """Native libraries: so many mapped in all arms; ``own``: more in one arm alone, by arm."""

    shared: int
    own: Mapping[str, int]


@dataclass(frozen=True)
class Wheels:
    """How many wheels were checked, by arm."""

    counts: Mapping[str, int]


@dataclass(frozen=True)
class TimedRuns:
    """Timed runs, each against its arm's identity run."""

    count: int


@dataclass(frozen=True)
class Fits:
    """The fits that are planned of every run."""

    planned: int


Compared = (
    FewArms | IdentityRuns | Versions | Values | OneHash | Libraries | Wheels | TimedRuns | Fits
)


@dataclass(frozen=True)
class NoIdentityRun:
    """The log has none of the arm."""

    arm: str


@dataclass(frozen=True)
class IdentityRunFailed:
    """The arm's only identity runs failed, the last one with this."""

    arm: str
    failure: str | None


@dataclass(frozen=True)
class NotRecorded:
    """An arm recorded nothing for a name."""

    name: str
    arm: str


@dataclass(frozen=True)
class NothingRecorded:
    """An arm recorded nothing at all of what the check compares."""

    arm: str


@dataclass(frozen=True)
class ValueDiffers:
    """A named value of the first arm and another one's. None: that arm lacks it."""

    name: str
    first: str
    in_first: str | None
    arm: str
    in_arm: str | None


@dataclass(frozen=True)
class Point:
    """A place in the training: a fit by number from 0, an epoch from 1."""

    series: Literal["loss", "accuracy"]
    fit: int
    epoch: int


@dataclass(frozen=True)
class NotFinite:
    """A loss or accuracy of an arm is infinite or no number."""

    point: Point
    arm: str


@dataclass(frozen=True)
class TrajectoryDiffers:
    """The first point at which two arms differ, and how many of how many do."""

    point: Point
    first: str
    in_first: float
    arm: str
    in_arm: float
    differing: int
    of: int


@dataclass(frozen=True)
class OneSided:
    """A point that one of two arms recorded alone."""

    point: Point
    first: str
    arm: str


@dataclass(frozen=True)
class AnotherFile:
    """A library that is not one and the same file in these arms."""

    library: str
    arms: tuple[str, ...]


@dataclass(frozen=True)
class NotMapped:
    """A library of the Python side that these arms do not map."""

    library: str
    arms: tuple[str, ...]


@dataclass(frozen=True)
class WheelChanged:
    """A wheel whose files are not as its RECORD says; ``state`` is what the run said of it."""

    wheel: str
    arm: str
    state: str


@dataclass(frozen=True)
class OtherWork:
    """A timed run that did not do as its arm's identity run."""

    what: Part
    run_id: str
    arm: str


@dataclass(frozen=True)
class OtherFits:
    """A timed run of more or fewer fits than planned."""

    run_id: str
    arm: str
    fits: int
    planned: int


RunDifference = NoIdentityRun | IdentityRunFailed | OtherWork | OtherFits
IdentityDifference = NotRecorded | NothingRecorded | ValueDiffers
TrajectoryDifference = NotFinite | TrajectoryDiffers | OneSided
FileDifference = AnotherFile | NotMapped | WheelChanged
Difference = RunDifference | IdentityDifference | TrajectoryDifference | FileDifference


@dataclass(frozen=True)
class Check:
    """One thing compared: what exactly, and where it differs."""

    name: CheckName
    compared: Compared
    differences: tuple[Difference, ...] = ()

    @property
    def held(self) -> bool:
        """Whether there is no difference."""
        return not self.differences
