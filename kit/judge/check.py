"""One same-work check as data: the things compared, and every difference found."""

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
"""The parts of the work that a timed run and its arm's identity run must have in common."""


@dataclass(frozen=True)
class FewArms:
    """The number of arms where it is too small to compare: one, or none."""

    arms: int


@dataclass(frozen=True)
class IdentityRuns:
    """An identity run with a record, of each of these arms."""

    arms: tuple[str, ...]


@dataclass(frozen=True)
class Versions:
    """The versions of these packages."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Values:
    """The number of compared hashes or numbers, and the kind of thing they are of."""

    count: int
    of: Literal["payloads", "arrays", "values"]


@dataclass(frozen=True)
class OneHash:
    """One hash of each arm."""


@dataclass(frozen=True)
class Libraries:
    """Native libraries: ``shared`` counts those mapped in all arms.

    ``own`` counts, by arm, the others outside Python's side, which not all arms map.
    """

    shared: int
    own: Mapping[str, int]


@dataclass(frozen=True)
class Wheels:
    """The number of checked wheels, by arm."""

    counts: Mapping[str, int]


@dataclass(frozen=True)
class TimedRuns:
    """Timed runs, each against its arm's identity run."""

    count: int


@dataclass(frozen=True)
class Fits:
    """The number of fits that the plan sets for every run."""

    planned: int


Compared = (
    FewArms | IdentityRuns | Versions | Values | OneHash | Libraries | Wheels | TimedRuns | Fits
)


@dataclass(frozen=True)
class NoIdentityRun:
    """An arm without an identity run in the log."""

    arm: str


@dataclass(frozen=True)
class IdentityRunFailed:
    """An arm whose identity runs all failed, the last one with ``failure``."""

    arm: str
    failure: str | None


@dataclass(frozen=True)
class NotRecorded:
    """A name for which an arm recorded an empty value."""

    name: str
    arm: str


@dataclass(frozen=True)
class NothingRecorded:
    """An arm that recorded nothing that the check compares."""

    arm: str


@dataclass(frozen=True)
class ValueDiffers:
    """A named value that differs between the first arm and another. None: that arm lacks it."""

    name: str
    first: str
    in_first: str | None
    arm: str
    in_arm: str | None


@dataclass(frozen=True)
class Point:
    """A point in the training: a fit by number from 0, an epoch from 1."""

    series: Literal["loss", "accuracy"]
    fit: int
    epoch: int


@dataclass(frozen=True)
class NotFinite:
    """A loss or accuracy of an arm that is infinite or not a number."""

    point: Point
    arm: str


@dataclass(frozen=True)
class TrajectoryDiffers:
    """The first point at which two arms differ, and how many of all points differ."""

    point: Point
    first: str
    in_first: float
    arm: str
    in_arm: float
    differing: int
    of: int


@dataclass(frozen=True)
class OneSided:
    """A point that only one of two arms recorded."""

    point: Point
    first: str
    arm: str


@dataclass(frozen=True)
class AnotherFile:
    """A library that is not the same file in these arms."""

    library: str
    arms: tuple[str, ...]


@dataclass(frozen=True)
class NotMapped:
    """A library of the Python side that these arms do not map."""

    library: str
    arms: tuple[str, ...]


@dataclass(frozen=True)
class WheelChanged:
    """A wheel whose files differ from its RECORD; ``state`` is what the run recorded of it."""

    wheel: str
    arm: str
    state: str


@dataclass(frozen=True)
class OtherWork:
    """A timed run that differs from its arm's identity run in ``what``."""

    what: Part
    run_id: str
    arm: str


@dataclass(frozen=True)
class OtherFits:
    """A timed run with more or fewer fits than planned."""

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
    """The result of one check: the things compared, and the differences."""

    name: CheckName
    compared: Compared
    differences: tuple[Difference, ...] = ()

    @property
    def held(self) -> bool:
        """Return whether the check found no difference."""
        return not self.differences
