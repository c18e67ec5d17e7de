"""The base images of a loaded bundle, and substitutes taken from it or made here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kit.engine.protocol import Engine, ImageInfo
from kit.images.bases.bootstrap import Bootstrap, PythonBase
from kit.images.names import PYTHON


@dataclass(frozen=True)
class Base:
    """A role's base image. ``provides`` maps a component to its version.

    ``pinned`` is the name@digest it was pulled by; empty: a substitute, made by the
    bootstrap. ``lock`` names the requirement lock that fits its interpreter.
    """

    image: str
    pinned: str
    provides: Mapping[str, str]
    lock: str
    exact: bool
    why: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle: its base of each role, and its NuGet feed (a folder, a URL or empty)."""

    created: str
    bases: Mapping[str, Base]
    nuget_source: str

    @property
    def origin(self) -> str:
        """Return the origin for reports, such as "from a bundle made on 2026-01-02"."""
        return f"from a bundle made on {self.created[:10]}"

    def had_by_digest(self, engine: Engine, role: str, pinned: str) -> ImageInfo | None:
        """Return the engine's image that the bundle's maker pulled by that digest for the role."""
        base = self.bases.get(role)
        return engine.find_image(base.image) if base and base.pinned == pinned else None

    def substitute(self, engine: Engine, role: str) -> tuple[Base, ImageInfo] | None:
        """Return the base that the maker's bootstrap made for that role, if the engine has it."""
        base = self.bases.get(role)
        if base is None or base.pinned:
            return None
        image = engine.find_image(base.image)
        return None if image is None else (base, image)


class Substitutes:
    """Substitute bases: the loaded bundle's if it has one, else the bootstrap's."""

    def __init__(self, engine: Engine, bundle: Bundle | None, bootstrap: Bootstrap) -> None:
        self._engine = engine
        self._bundle = bundle
        self._bootstrap = bootstrap

    def python(self) -> PythonBase:
        """Return the Python base. Raises HostError or ImageError."""
        found = self._bundle and self._bundle.substitute(self._engine, PYTHON)
        if not self._bundle or not found:
            return self._bootstrap.python()
        base, image = found
        return PythonBase(
            image=image,
            python=base.provides["python"],
            os=base.provides["os"],
            lock=base.lock,
            why=f"{self._bundle.origin}: {base.why}",
            details=base.details,
        )

    def loaded(self, role: str) -> Base | None:
        """Return the loaded bundle's substitute of that role; None if the bootstrap makes it."""
        found = self._bundle and self._bundle.substitute(self._engine, role)
        return found[0] if found else None

    def sdk(self) -> tuple[ImageInfo, Mapping[str, str], str, tuple[str, ...]]:
        """Return the SDK base, the versions it provides, why it is used, and details of that.

        Raises HostError or ImageError.
        """
        found = self._bundle and self._bundle.substitute(self._engine, "dotnet-sdk")
        if not self._bundle or not found:
            return (*self._bootstrap.sdk(), "no registry image could be had", ())
        base, image = found
        return image, base.provides, f"{self._bundle.origin}: {base.why}", base.details

    def bare(self) -> ImageInfo:
        """Return a Debian without any Python. Raises HostError or ImageError."""
        found = self._bundle and self._bundle.substitute(self._engine, "bare")
        return found[1] if found else self._bootstrap.bare()
