"""Limits of a container as the engine holds them, and which of them were changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
class LimitChange:
    """A limit that was changed while a container existed; ``NONE`` for an unset value."""

    name: str
    asked: str
    found: str


def limits_of(inspected: Mapping[str, Any]) -> dict[str, str]:
    """Return the limits in an engine's answer to the inspect call, by name."""
    host = inspected.get("HostConfig") or {}
    values = {name: host.get(name) for name in LIMITS}
    return {name: NONE if value in _UNSET else str(value) for name, value in values.items()}


def changed(asked: Mapping[str, str], found: Mapping[str, str]) -> tuple[LimitChange, ...]:
    """Return the limits that differ.

    ``asked`` is the engine's answer before the start, not the request: an engine may write a
    number in another way, or omit a limit that it cannot enforce.
    """
    return tuple(
        LimitChange(name, asked[name], found[name]) for name in asked if asked[name] != found[name]
    )
