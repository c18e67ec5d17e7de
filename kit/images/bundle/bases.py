"""What a loaded bundle brought: base images, and substitutes that need no making."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kit.engine.protocol import Engine, ImageInfo
from kit.images.bases.bootstrap import Bootstrap, PythonBase
from kit.images.names import PYTHON


@dataclass(frozen=True)
class Base:
    """The image that serves a role as base. ``provides`` maps a component to its version.

    ``pinned`` is the name@digest it was had by; empty: a substitute, made by the
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
        """Such as "from a bundle made on 2026-01-02"."""
        return f"from a bundle made on {self.created[:10]}"

    def had_by_digest(self, engine: Engine, role: str, pinned: str) -> ImageInfo | None:
        """The engine's image that its maker had by that digest for that role."""
        base = self.bases.get(role)
        return engine.find_image(base.image) if base and base.pinned == pinned else None

    def substitute(self, engine: Engine, role: str) -> tuple[Base, ImageInfo] | None:
        """The base that its maker's bootstrap made for that role, if the engine has it."""
        base = self.bases.get(role)
        if base is None or base.pinned:
            return None
        image = engine.find_image(base.image)
        return None if image is None else (base, image)


class Substitutes:
    """Substitute bases: the loaded bundle's where there is one, else the bootstrap's."""

    def __init__(self, engine: Engine, bundle: Bundle | None, bootstrap: Bootstrap) -> None:
        self._engine = engine
        self._bundle = bundle
        self._bootstrap = bootstrap

    def python(self) -> PythonBase:
        """The Python base. Raises HostError or ImageError."""
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
        """Return the loaded bundle's substitute of that role; None where the bootstrap makes it."""
        found = self._bundle and self._bundle.substitute(self._engine, role)
        return found[0] if found else None

    def sdk(self) -> tuple[ImageInfo, Mapping[str, str], str, tuple[str, ...]]:
        """The SDK base, what it provides, why it is used and details of that.

        Raises HostError or ImageError.
        """
        found = self._bundle and self._bundle.substitute(self._engine, "dotnet-sdk")
        if not self._bundle or not found:
            return (*self._bootstrap.sdk(), "no registry image could be had", ())
        base, image = found
        return image, base.provides, f"{self._bundle.origin}: {base.why}", base.details

    def bare(self) -> ImageInfo:
        """A Debian without any Python. Raises HostError or ImageError."""
        found = self._bundle and self._bundle.substitute(self._engine, "bare")
        return found[1] if found else self._bootstrap.bare()
