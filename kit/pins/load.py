"""The pins as frozen values: which images and parts the kit uses, by digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from kit.errors import InputError
from kit.schemas import check


@dataclass(frozen=True)
class Candidate:
    """One registry image, pinned. ``provides`` maps a component to its version."""

    reference: str
    tag: str
    digest: str
    provides: Mapping[str, str]

    @property
    def pinned(self) -> str:
        """The reference to pull: name and digest, never a tag."""
        return f"{self.reference}@{self.digest}"

    @property
    def readable(self) -> str:
        """The reference people know, for reports."""
        return f"{self.reference}:{self.tag}"

    @property
    def registry(self) -> str:
        """The host the reference leads to; "docker.io" for short names."""
        first, _, rest = self.reference.partition("/")
        return first if rest and ("." in first or ":" in first) else "docker.io"


@dataclass(frozen=True)
class SdkPackage:
    """The npm package of the substitute SDK, and the sha512 of its tarball."""

    package: str
    sha512: str
    provides: Mapping[str, str]


@dataclass(frozen=True)
class Pins:
    """Everything pinned."""

    roles: Mapping[str, tuple[Candidate, ...]]
    fallback_suite: str
    fallback_python: str
    sdk: SdkPackage
    exact_binding: str
    substitute_binding: str
    tensorflow: str


@cache
def shipped_pins() -> Pins:
    """The pins that ship with the kit. Raises InputError when they were damaged."""
    path = files(__package__) / "pins.yaml"
    where, remedy = "kit/pins/pins.yaml", "reinstall the kit"
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(
            f"{where}: cannot be read ({' '.join(str(error).split())})", remedy
        ) from error
    check("pins", document, where, remedy)
    bootstrap = document["bootstrap"]
    return Pins(
        roles={
            role: tuple(Candidate(**candidate) for candidate in candidates)
            for role, candidates in document["roles"].items()
        },
        fallback_suite=bootstrap["fallback_suite"],
        fallback_python=bootstrap["fallback_python"],
        sdk=SdkPackage(**bootstrap["sdk"]),
        exact_binding=document["bindings"]["exact"],
        substitute_binding=document["bindings"]["substitute"],
        tensorflow=document["tensorflow"],
    )
