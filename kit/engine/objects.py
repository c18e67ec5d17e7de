"""What an engine holds, as plain values: containers, volumes, images and their steps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

OWNER = "kit"


def own_name(owner: str = OWNER) -> re.Pattern[str]:
    """Match the names that the kit gives to containers."""
    return re.compile(rf"{re.escape(owner)}-[0-9a-f]{{16}}")


@dataclass(frozen=True)
class Removed:
    """How many containers and how many volumes were removed by label."""

    containers: int = 0
    volumes: int = 0

    def __str__(self) -> str:
        """Both counts in words; "" for none."""
        named = ((self.containers, "container"), (self.volumes, "volume"))
        return " and ".join(f"{n} {name}{'' if n == 1 else 's'}" for n, name in named if n)


@dataclass(frozen=True)
class ContainerEntry:
    """A container, running or not. ``size_bytes`` is what it wrote over its image.

    ``labels`` hold those of its image too: the engine hands them down.
    """

    id: str
    name: str
    image_id: str
    labels: Mapping[str, str]
    volumes: tuple[str, ...]
    size_bytes: int
    running: bool


@dataclass(frozen=True)
class VolumeEntry:
    """A volume, anonymous ones too. Labels of a volume come from nowhere else."""

    name: str
    labels: Mapping[str, str]
    size_bytes: int


@dataclass(frozen=True)
class Step:
    """One step of an image's history, in the builder's words, and what it added."""

    text: str
    size_bytes: int


@dataclass(frozen=True)
class ImageEntry:
    """An image, unnamed ones too. ``names`` are its tags and digests.

    ``parent`` is the image it was built on here, "" where the engine does not know
    one. ``labels`` hold those of its base too. ``steps``, oldest first, are read
    only for images that carry the label that was asked for.
    """

    id: str
    names: tuple[str, ...]
    labels: Mapping[str, str]
    parent: str
    layers: tuple[str, ...]
    size_bytes: int
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class EngineObjects:
    """Everything an engine holds, whoever made it."""

    containers: tuple[ContainerEntry, ...] = ()
    volumes: tuple[VolumeEntry, ...] = ()
    images: tuple[ImageEntry, ...] = ()


EngineObject: TypeAlias = ContainerEntry | VolumeEntry | ImageEntry
