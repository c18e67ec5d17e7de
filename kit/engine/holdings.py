"""What an engine holds, as plain values: containers, volumes, images and their steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class HeldContainer:
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
class HeldVolume:
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
class HeldImage:
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
class Holdings:
    """Everything an engine holds, whoever made it."""

    containers: tuple[HeldContainer, ...] = ()
    volumes: tuple[HeldVolume, ...] = ()
    images: tuple[HeldImage, ...] = ()


Held: TypeAlias = HeldContainer | HeldVolume | HeldImage
