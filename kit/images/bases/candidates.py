"""Resolving a role to a base image: the first available candidate wins, mirrors first.

The reason why each earlier one was not available is kept, for the report and for --strict. A
mirror cannot serve other content than the pin names, because the engine checks the digest of
what it pulled.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kit.engine.protocol import Engine, ImageInfo
from kit.errors import ImageError, InputError, UnreachableError
from kit.images.build.recipe import Tools
from kit.images.bundle.document import Bundle
from kit.pins.load import Candidate, Pins

PULL_IDLE_TIMEOUT_S = 300.0
"""Seconds without output after which a pull has failed; unpacking a layer is faster."""
VARIABLE = "KIT_MIRROR"
DOCKER_HUB = "docker.io"
# As in image references: engines do not take a first part without dot and port for a
# host, except localhost; they would query Docker Hub instead.
_HOST = r"(?:localhost|[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9][A-Za-z0-9-]*(?=:))"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_MIRROR = re.compile(rf"{_HOST}(?::[0-9]+)?(?:/{_PART})*")


@dataclass(frozen=True)
class Attempt:
    """A candidate for a base image that was not available, and the reason."""

    candidate: str
    reason: str


@dataclass(frozen=True)
class Resolution:
    """The base image found for a role. ``candidate`` and ``image`` are None if none was available.

    ``how`` says how the image came here.
    """

    role: str
    candidate: Candidate | None
    image: ImageInfo | None
    attempts: tuple[Attempt, ...]
    how: str = ""


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
        """Return the base image for a role: the first candidate that is available.

        Each one is looked up in the engine's store, then at the mirrors, its registry, and in the
        bundle.
        """
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
                image = self._bundle.pulled_by_digest(self._tools.engine, role, candidate.pinned)
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


def answers(attempts: Sequence[Attempt]) -> tuple[str, ...]:
    """Return one line per candidate base image that was not available, with the reason."""
    return tuple(f"{attempt.candidate}: {attempt.reason}" for attempt in attempts)


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


def parse_mirrors(given: Sequence[str], env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the mirrors to query, in order: those given, else those of KIT_MIRROR.

    ``given`` are the values of ``--mirror``; the variable separates several by commas.
    Raises InputError for a value that is not of the form ``HOST[:PORT][/PREFIX]``.
    """
    if given:
        return tuple(_checked(value, "--mirror") for value in given)
    named = (value.strip() for value in env.get(VARIABLE, "").split(","))
    return tuple(_checked(value, VARIABLE) for value in named if value)


def mirrored(candidate: Candidate, mirror: str) -> str:
    """Return a candidate's image reference at a mirror: the mirror, its path, the same digest.

    The path is that at its registry, without the host; Docker Hub keeps short names under
    ``library/``.
    """
    path = candidate.reference.removeprefix(f"{candidate.registry}/")
    if candidate.registry == DOCKER_HUB and "/" not in path:
        path = f"library/{path}"
    return f"{mirror}/{path}@{candidate.digest}"


def host_of(mirror: str) -> str:
    """Return the registry host of a mirror ``HOST[:PORT][/PREFIX]``, with its port."""
    return mirror.partition("/")[0]


def _checked(value: str, source: str) -> str:
    if _MIRROR.fullmatch(value) is None:
        raise InputError(
            f"{source}: {value!r} is not of the form HOST[:PORT][/PREFIX]",
            "name it as in an image reference, such as mirror.example:5000/hub:"
            " no https://, no tag, no digest; a host without a dot needs its port",
        )
    return value
