"""Resolving a role to a base image: the first candidate that can be had wins.

Why each earlier one could not be had is kept, for the report and for --strict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kit.engine.protocol import Engine, ImageInfo
from kit.errors import ImageError, UnreachableError
from kit.images.bases.mirrors import host_of, mirrored
from kit.images.bundle.bases import Bundle
from kit.images.tools import Tools
from kit.pins.load import Candidate, Pins

PULL_IDLE_TIMEOUT_S = 300.0
"""A pull that says nothing for so long has died; unpacking a large layer is not so long."""


@dataclass(frozen=True)
class Attempt:
    """A candidate that could not be had, and why."""

    candidate: str
    reason: str


@dataclass(frozen=True)
class Resolution:
    """What a role resolved to. ``candidate`` and ``image`` are None when none could be had.

    ``how`` says how it came here.
    """

    role: str
    candidate: Candidate | None
    image: ImageInfo | None
    attempts: tuple[Attempt, ...]
    how: str = ""


def answers(attempts: Sequence[Attempt]) -> tuple[str, ...]:
    """Return a line for each candidate that could not be had, with what it answered."""
    return tuple(f"{attempt.candidate}: {attempt.reason}" for attempt in attempts)


class Resolver:
    """Resolves roles against an engine; a registry or mirror that is down is asked once.

    Every place is asked by digest, so that none can give other content. Mirrors that
    the engine's own settings name (``EngineInfo.registry_mirrors``) are asked by the
    engine itself, whenever it pulls from Docker Hub: nothing is to be done here.
    """

    def __init__(
        self, tools: Tools, mirrors: Sequence[str] = (), bundle: Bundle | None = None
    ) -> None:
        self._tools = tools
        self._mirrors = mirrors
        self._bundle = bundle
        self._down: set[str] = set()

    def resolve(self, role: str) -> Resolution:
        """The role's first candidate that the store, a mirror, its registry or the bundle has."""
        attempts: list[Attempt] = []
        for candidate in self._tools.pins.roles[role]:
            image = (
                self._stored(candidate)
                or self._from_mirrors(candidate, attempts)
                or self._from_registry(candidate, attempts)
            )
            if image is not None:
                return Resolution(role, candidate, image, tuple(attempts), "had by digest")
            if self._bundle is not None:
                image = self._bundle.had_by_digest(self._tools.engine, role, candidate.pinned)
                if image is not None:
                    # A load gives an image its id and no digest: this is the bundle's word.
                    how = f"{self._bundle.origin}, where it was had by digest"
                    return Resolution(role, candidate, image, tuple(attempts), how)
        return Resolution(role, None, None, tuple(attempts))

    def _stored(self, candidate: Candidate) -> ImageInfo | None:
        """The local image, under the name of its registry or that of a mirror."""
        names = (candidate.pinned, *(mirrored(candidate, mirror) for mirror in self._mirrors))
        found = (self._tools.engine.find_image(name) for name in names)
        return next((image for image in found if image is not None), None)

    def _from_mirrors(self, candidate: Candidate, attempts: list[Attempt]) -> ImageInfo | None:
        for mirror in self._mirrors:
            name = f"{candidate.readable} from {mirror}"
            found = self._pull(mirrored(candidate, mirror), host_of(mirror), name)
            if isinstance(found, ImageInfo):
                return found
            attempts.append(Attempt(name, found))
        return None

    def _from_registry(self, candidate: Candidate, attempts: list[Attempt]) -> ImageInfo | None:
        found = self._pull(candidate.pinned, candidate.registry, candidate.readable)
        if isinstance(found, ImageInfo):
            return found
        attempts.append(Attempt(candidate.readable, found))
        return None

    def _pull(self, reference: str, host: str, name: str) -> ImageInfo | str:
        """The image, or why that registry did not give it."""
        if host in self._down:
            return f"{host} did not answer"
        self._tools.say(f"pulling {name}")
        try:
            return self._tools.engine.pull(reference, PULL_IDLE_TIMEOUT_S)
        except UnreachableError as error:
            self._down.add(host)
            return error.problem
        except ImageError as error:
            return error.problem


def bases_out_of_reach(
    engine: Engine,
    pins: Pins,
    reach: Callable[[Sequence[str]], Mapping[str, str]],
    mirrors: Sequence[str] = (),
) -> tuple[str, ...]:
    """Roles that neither the local store nor a registry or mirror that answers can fill.

    ``reach`` maps registry hosts to why they do not answer, "" for those that do.
    """
    missing = [
        role
        for role, candidates in pins.roles.items()
        if not any(engine.find_image(candidate.pinned) for candidate in candidates)
    ]
    places = {
        role: {*map(host_of, mirrors), *(c.registry for c in pins.roles[role])} for role in missing
    }
    hosts = sorted(set().union(*places.values()))
    down = {host for host, reason in reach(hosts).items() if reason}
    return tuple(role for role in missing if places[role] <= down)
