"""The objects that an engine holds, and a container's limits, as plain values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

OWNER = "kit"
LIMITS = (
    "CpuQuota",
    "CpuPeriod",
    "NanoCpus",
    "CpuShares",
    "CpusetCpus",
    "CpusetMems",
    "Memory",
    "MemorySwap",
    "MemoryReservation",
    "PidsLimit",
)
"""Limits that ``docker update`` can change in a running container, by the API's names."""
NONE = "none"
_UNSET = (None, "", 0, -1)
"""Engines write a limit that was not requested in any of these ways."""


@dataclass(frozen=True)
class Removed:
    """How many containers and how many volumes were removed by label."""

    containers: int = 0
    volumes: int = 0

    def __str__(self) -> str:
        """Return both counts in words; "" for none."""
        named = ((self.containers, "container"), (self.volumes, "volume"))
        return " and ".join(f"{n} {name}{'' if n == 1 else 's'}" for n, name in named if n)


@dataclass(frozen=True)
class ContainerEntry:
    """A container, running or not. ``size_bytes`` counts what it wrote on top of its image.

    ``labels`` include those of its image: containers inherit them.
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
    """A volume, named or anonymous. Volumes inherit no labels."""

    name: str
    labels: Mapping[str, str]
    size_bytes: int


@dataclass(frozen=True)
class Step:
    """One step of an image's history: the builder's text and the bytes it added."""

    text: str
    size_bytes: int


@dataclass(frozen=True)
class ImageEntry:
    """An image, named or not. ``names`` are its tags and digests.

    ``parent`` is the id of the image it was built on here, "" where the engine does
    not know it. ``labels`` include those of its base. ``steps``, oldest first, are read
    only for images with the requested label.
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
    """Everything an engine holds, also what kit did not create."""

    containers: tuple[ContainerEntry, ...] = ()
    volumes: tuple[VolumeEntry, ...] = ()
    images: tuple[ImageEntry, ...] = ()


@dataclass(frozen=True)
class LimitChange:
    """A limit that was changed while a container existed; ``NONE`` for an unset value."""

    name: str
    asked: str
    found: str


EngineObject: TypeAlias = ContainerEntry | VolumeEntry | ImageEntry


def own_name(owner: str = OWNER) -> re.Pattern[str]:
    """Return the pattern of the names that kit gives to containers; ``owner`` is their prefix."""
    return re.compile(rf"{re.escape(owner)}-[0-9a-f]{{16}}")


def limits_of(inspected: Mapping[str, Any]) -> dict[str, str]:
    """Return a container's limits by name, from the engine's answer to the inspect call."""
    host = inspected.get("HostConfig") or {}
    values = {name: host.get(name) for name in LIMITS}
    return {name: NONE if value in _UNSET else str(value) for name, value in values.items()}


def changed(asked: Mapping[str, str], found: Mapping[str, str]) -> tuple[LimitChange, ...]:
    """Return the limits that differ between ``asked`` and ``found``, both by name.

    ``asked`` is the engine's answer before the start, not the request: an engine may write a
    number in another way, or omit a limit that it cannot enforce.
    """
    return tuple(
        LimitChange(name, asked[name], found[name]) for name in asked if asked[name] != found[name]
    )
