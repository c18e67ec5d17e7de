"""Mirrors: other registries that may have a pinned image, queried by the same digest.

A mirror cannot serve other content than the pin names, because the engine checks the
digest of what it pulled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kit.errors import InputError
from kit.pins.load import Candidate

VARIABLE = "KIT_MIRROR"
DOCKER_HUB = "docker.io"
# As in image references: engines do not take a first part without dot and port for a
# host, except localhost; they would query Docker Hub instead.
_HOST = r"(?:localhost|[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9][A-Za-z0-9-]*(?=:))"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_MIRROR = re.compile(rf"{_HOST}(?::[0-9]+)?(?:/{_PART})*")


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
    """Return the candidate's reference at a mirror: the mirror, its path, the same digest.

    The path is that at its registry, without the host; Docker Hub keeps short names under
    ``library/``.
    """
    path = candidate.reference.removeprefix(f"{candidate.registry}/")
    if candidate.registry == DOCKER_HUB and "/" not in path:
        path = f"library/{path}"
    return f"{mirror}/{path}@{candidate.digest}"


def host_of(mirror: str) -> str:
    """Return the registry host of a mirror, with its port."""
    return mirror.partition("/")[0]


def _checked(value: str, source: str) -> str:
    if _MIRROR.fullmatch(value) is None:
        raise InputError(
            f"{source}: {value!r} is no HOST[:PORT][/PREFIX]",
            "name it as in an image reference, such as mirror.example:5000/hub:"
            " no https://, no tag, no digest; a host without a dot needs its port",
        )
    return value
