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
    """What a check compared if there are too few arms: the number of arms, one or none."""

    arms: int


@dataclass(frozen=True)
class IdentityRuns:
    """What a check compared: an identity run with a record, of each of these arms."""

    arms: tuple[str, ...]


@dataclass(frozen=True)
class Versions:
    """What a check compared: the versions of these packages."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Values:
    """What a check compared: so many hashes or numbers, and the kind of thing they are of."""

    count: int
    of: Literal["payloads", "arrays", "values"]


@dataclass(frozen=True)
class OneHash:
    """What a check compared: one hash of each arm."""


@dataclass(frozen=True)
class Libraries:
    """What a check compared: native libraries. ``shared`` counts those mapped in all arms.

    ``own`` counts, by arm, the others outside Python's side, which not all arms map.
    """

    shared: int
    own: Mapping[str, int]


@dataclass(frozen=True)
class Wheels:
    """What a check compared: the files of so many wheels, by arm."""

    counts: Mapping[str, int]


@dataclass(frozen=True)
class TimedRuns:
    """What a check compared: timed runs, each with its arm's identity run."""

    count: int


@dataclass(frozen=True)
class Fits:
    """What a check compared: the number of fits that the plan sets for every run."""

    planned: int


Compared = (
    FewArms | IdentityRuns | Versions | Values | OneHash | Libraries | Wheels | TimedRuns | Fits
)


@dataclass(frozen=True)
class NoIdentityRun:
    """A difference: an arm without an identity run in the log."""

    arm: str


@dataclass(frozen=True)
class IdentityRunFailed:
    """A difference: an arm whose identity runs all failed, the last one with ``failure``."""

    arm: str
    failure: str | None


@dataclass(frozen=True)
class NotRecorded:
    """A difference: a name for which an arm recorded an empty value."""

    name: str
    arm: str


@dataclass(frozen=True)
class NothingRecorded:
    """A difference: an arm that recorded nothing that the check compares."""

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
    """The result of one same-work check: the things compared, and the differences."""

    name: CheckName
    compared: Compared
    differences: tuple[Difference, ...] = ()

    @property
    def held(self) -> bool:
        """Return whether the check found no difference."""
        return not self.differences
