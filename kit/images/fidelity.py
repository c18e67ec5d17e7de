"""Fidelity: per component, what the study wants and what was got."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Component:
    """One row of the fidelity table. ``exact`` False means substituted."""

    name: str
    wanted: str
    got: str
    exact: bool
    why: str


@dataclass(frozen=True)
class ArmImage:
    """The image an arm ran in. ``content_digest`` is the engine's image id."""

    arm: str
    reference: str
    image_id: str
    size_bytes: int
