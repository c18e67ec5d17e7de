"""Resolving a role to a base image: the first candidate that can be had wins.

Why each earlier one could not be had is kept, for the report and for --strict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kit.engine.protocol import Engine, ImageInfo
from kit.errors import ImageError, UnreachableError
from kit.pins.load import Candidate, Pins

PULL_TIMEOUT_S = 300.0


@dataclass(frozen=True)
class Attempt:
    """A candidate that could not be had, and why."""

    candidate: str
    reason: str


@dataclass(frozen=True)
class Resolution:
    """What a role resolved to. ``candidate`` and ``image`` are None when none could be had."""

    role: str
    candidate: Candidate | None
    image: ImageInfo | None
    attempts: tuple[Attempt, ...]


def said(attempts: Sequence[Attempt]) -> str:
    """What each candidate that could not be had said, in one line."""
    return "; ".join(f"{attempt.candidate}: {attempt.reason}" for attempt in attempts)


class Resolver:
    """Resolves roles against an engine; a registry that is down is asked once."""

    def __init__(self, engine: Engine, pins: Pins, say: Callable[[str], None]) -> None:
        self._engine = engine
        self._pins = pins
        self._say = say
        self._down: set[str] = set()

    def resolve(self, role: str) -> Resolution:
        """The role's first candidate that the local store or its registry has."""
        attempts: list[Attempt] = []
        for candidate in self._pins.roles[role]:
            found = self._engine.find_image(candidate.pinned) or self._pull(candidate)
            if isinstance(found, ImageInfo):
                return Resolution(role, candidate, found, tuple(attempts))
            attempts.append(Attempt(candidate.readable, found))
        return Resolution(role, None, None, tuple(attempts))

    def _pull(self, candidate: Candidate) -> ImageInfo | str:
        """The image, or why its registry did not give it."""
        if candidate.registry in self._down:
            return f"{candidate.registry} did not answer"
        self._say(f"pulling {candidate.readable}")
        try:
            return self._engine.pull(candidate.pinned, PULL_TIMEOUT_S)
        except UnreachableError as error:
            self._down.add(candidate.registry)
            return error.problem
        except ImageError as error:
            return error.problem


def bases_out_of_reach(
    engine: Engine, pins: Pins, reach: Callable[[Sequence[str]], Mapping[str, str]]
) -> tuple[str, ...]:
    """Roles that neither the local store nor a registry that answers can fill.

    ``reach`` maps registry hosts to why they do not answer, "" for those that do.
    """
    missing = [
        role
        for role, candidates in pins.roles.items()
        if not any(engine.find_image(candidate.pinned) for candidate in candidates)
    ]
    hosts = sorted({c.registry for role in missing for c in pins.roles[role]})
    down = {host for host, reason in reach(hosts).items() if reason}
    return tuple(role for role in missing if all(c.registry in down for c in pins.roles[role]))
