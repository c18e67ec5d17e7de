"""Resolving a role to a base image: the first available candidate wins.

The reason why each earlier one was not available is kept, for the report and for --strict.
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
"""Seconds without output after which a pull has failed; unpacking a layer is faster."""


@dataclass(frozen=True)
class Attempt:
    """A candidate that was not available, and the reason."""

    candidate: str
    reason: str


@dataclass(frozen=True)
class Resolution:
    """Result for a role. ``candidate`` and ``image`` are None if none was available.

    ``how`` says how the image came here.
    """

    role: str
    candidate: Candidate | None
    image: ImageInfo | None
    attempts: tuple[Attempt, ...]
    how: str = ""


def answers(attempts: Sequence[Attempt]) -> tuple[str, ...]:
    """Return one line per candidate that was not available, with the reason."""
    return tuple(f"{attempt.candidate}: {attempt.reason}" for attempt in attempts)


class Resolver:
    """Resolver of roles with an engine; it tries an unreachable registry or mirror once.

    It pulls by digest, so that no source can serve other content. The engine itself tries
    the mirrors in its settings (``EngineInfo.registry_mirrors``) when it pulls from
    Docker Hub.
    """

    def __init__(
        self, tools: Tools, mirrors: Sequence[str] = (), bundle: Bundle | None = None
    ) -> None:
        self._tools = tools
        self._mirrors = mirrors
        self._bundle = bundle
        self._down: set[str] = set()

    def resolve(self, role: str) -> Resolution:
        """Return the first candidate in the store, a mirror, its registry or the bundle."""
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
                    # A loaded image has an id but no digest: only the bundle vouches for it.
                    how = f"{self._bundle.origin}, where it was had by digest"
                    return Resolution(role, candidate, image, tuple(attempts), how)
        return Resolution(role, None, None, tuple(attempts))

    def _stored(self, candidate: Candidate) -> ImageInfo | None:
        """Return the local image, by the name at its registry or at a mirror."""
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
        """Return the image, or why that registry did not serve it."""
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
    """Return the roles with no image in the store and no reachable registry or mirror.

    ``reach`` maps registry hosts to the reason why they are unreachable, "" if reachable.
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
