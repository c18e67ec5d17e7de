"""Comparing images in the engine's store with the digests that a session recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kit.engine.protocol import Engine
from kit.errors import ImageError, InputError
from kit.images.inspect.content import read_content
from kit.records.images import ArmImage
from kit.results.runlog import read_session


@dataclass(frozen=True)
class Compared:
    """Content digests of an arm's image here and of the recorded one."""

    arm: str
    reference: str
    sha256: str
    recorded_sha256: str

    @property
    def same(self) -> bool:
        """Return whether both digests are equal."""
        return self.sha256 == self.recorded_sha256


def recorded_images(folder: Path, arm: str, image: str) -> Mapping[str, ArmImage]:
    """Return the images that a session's log names, by arm; only that of ``arm`` if given.

    Raises InputError for an ``image`` without an arm, an unknown arm, and images without a
    recorded digest.
    """
    recorded = read_session(folder).header.images
    if image and not arm:
        raise InputError("--image: says not of which arm", f"add --arm ({', '.join(recorded)})")
    if arm and arm not in recorded:
        raise InputError(f"--arm: {folder} has no arm {arm!r}", f"use one of {', '.join(recorded)}")
    chosen = {arm: recorded[arm]} if arm else recorded
    without = [name for name, found in chosen.items() if not found.content_sha256]
    if without:
        raise InputError(
            f"{folder}: the log holds no content digest of {', '.join(without)}",
            "compare the image ids that the report names instead",
        )
    return chosen


def compare(engine: Engine, recorded: Mapping[str, ArmImage], image: str) -> Iterator[Compared]:
    """Read each image here file by file, or ``image`` instead if given; yield its comparison.

    Raises ImageError for an image that is missing here or cannot be read.
    """
    for arm, found in recorded.items():
        here = image or _local(engine, found)
        yield Compared(arm, here, read_content(engine, here).sha256, found.content_sha256)


def refuse_different(folder: Path, compared: Iterable[Compared]) -> None:
    """Raise ImageError that names each image whose content differs from the recorded one."""
    differing = [
        f"{found.arm} has {found.sha256}, recorded is {found.recorded_sha256}"
        for found in compared
        if not found.same
    ]
    if differing:
        raise ImageError(
            f"{folder}: {'; '.join(differing)}",
            "`kit build --verify` shows whether this image can be built again as it was",
        )


def _local(engine: Engine, recorded: ArmImage) -> str:
    """Return the recorded image's id if the store has it, else its reference."""
    if engine.find_image(recorded.image_id) is not None:
        return recorded.image_id
    return recorded.reference
