"""The base images of all arms: pulled by digest, or made here.

``python`` has CPython and pip; ``dotnet`` is the SDK to build with and the image that holds
the runtime. Each is resolved once, regardless of the number of arms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from kit.engine.protocol import ImageInfo
from kit.errors import ImageError
from kit.images.bases.bootstrap import PythonBase
from kit.images.bases.candidates import Resolution, Resolver, answers
from kit.images.build.recipe import PYTHON
from kit.images.bundle.document import Base, Substitutes
from kit.pins.load import Pins

DOTNET_ROLES = ("dotnet-sdk", "dotnet-runtime")
_BARE = "a Debian without Python"


@dataclass(frozen=True)
class DotnetBases:
    """Base images with the .NET SDK and with the .NET runtime; one image may be both."""

    sdk: ImageInfo
    runtime: ImageInfo
    version: str
    framework: str
    exact: bool
    why: str
    details: tuple[str, ...] = ()


class Bases:
    """Base images, resolved or, if none is available, made here.

    One thread may read ``python`` while another reads ``bare`` and ``dotnet``.
    """

    def __init__(self, pins: Pins, resolver: Resolver, substitutes: Substitutes) -> None:
        self._pins = pins
        self._resolver = resolver
        self._substitutes = substitutes
        self._resolutions: dict[str, Resolution] = {}

    def refuse_substitutes(self, roles: Sequence[str]) -> None:
        """Raise ImageError that lists every role whose exact base is not available.

        The binding's packages are restored on the .NET bases, so without those its exactness
        is unknown; the message says so.
        """
        missing = [
            f"{role} ({'; '.join(answers(resolution.attempts))})"
            for role, resolution in ((role, self._resolve(role)) for role in roles)
            if not self._is_exact(resolution)
        ]
        count = len(missing)
        if missing and set(roles).intersection(DOTNET_ROLES):
            missing.append(f"{self._pins.exact_binding} can be tried only on those bases")
        if missing:
            raise ImageError(
                f"--strict: {count} of {len(roles)} base images not available in the exact "
                f"version: {'; '.join(missing)}",
                "make the registry reachable, name a mirror of it, load a bundle, "
                "or leave out --strict to use substitutes",
            )

    @cached_property
    def python(self) -> PythonBase:
        """Return the base image with CPython. Raises HostError or ImageError if there is none."""
        resolution = self._resolve(PYTHON)
        tried = answers(resolution.attempts)
        if resolution.image is None or resolution.candidate is None:
            made = self._substitutes.python()
            return replace(made, details=(*made.details, *tried))
        provides = resolution.candidate.provides
        exact = self._is_exact(resolution)
        return PythonBase(
            image=resolution.image,
            python=provides["python"],
            os=provides["os"],
            lock="cp38",
            why=resolution.how,
            details=() if exact else tried,
            exact=exact,
        )

    @cached_property
    def dotnet(self) -> DotnetBases:
        """Return the .NET base images. Raises HostError or ImageError if none can be made."""
        if self._pulled_dotnet is not None:
            return self._pulled_dotnet
        image, provides, why, details = self._substitutes.sdk()
        tried = answers([a for role in DOTNET_ROLES for a in self._resolve(role).attempts])
        return _dotnet(image, image, provides, why, (*details, *tried))

    @cached_property
    def bare(self) -> ImageInfo:
        """Return a Debian without Python, with the libraries that a .NET program links to.

        The vendor's runtime image is one. It is not built on the other bases. Raises HostError
        or ImageError.
        """
        pulled = self._pulled_dotnet
        return self._substitutes.bare() if pulled is None else pulled.runtime

    @cached_property
    def _pulled_dotnet(self) -> DotnetBases | None:
        """Return the vendor's images; None if one of the two is not available."""
        sdk, runtime = (self._resolve(role) for role in DOTNET_ROLES)
        if sdk.image and runtime.image and runtime.candidate:
            provides = runtime.candidate.provides
            return replace(_dotnet(sdk.image, runtime.image, provides, runtime.how), exact=True)
        return None

    def used(self, roles: Sequence[str]) -> dict[str, Base]:
        """Return the bases of those roles, by role, to put them into a bundle.

        With a .NET role it has the bare base too, as "bare".
        """
        bases = {PYTHON: self._used_python()}
        bases |= {role: self._used_dotnet(role) for role in set(roles) - {PYTHON}}
        if len(bases) > 1:
            bare = Base(self.bare.id, "", {}, "", self.dotnet.exact, _BARE)
            bases["bare"] = self._for_bundle("bare", self.bare, bare)
        return bases

    def _used_python(self) -> Base:
        python = self.python
        provides = {"python": python.python, "os": python.os}
        base = Base(
            python.image.id, "", provides, python.lock, python.exact, python.why, python.details
        )
        return self._for_bundle(PYTHON, python.image, base)

    def _used_dotnet(self, role: str) -> Base:
        dotnet = self.dotnet
        image = dotnet.sdk if role == "dotnet-sdk" else dotnet.runtime
        provides = {"dotnet": dotnet.version, "framework": dotnet.framework}
        base = Base(image.id, "", provides, "", dotnet.exact, dotnet.why, dotnet.details)
        return self._for_bundle(role, image, base)

    def _for_bundle(self, role: str, image: ImageInfo, base: Base) -> Base:
        # A bundle made from another bundle's bases keeps the reason recorded in the first.
        loaded = self._substitutes.loaded(role)
        if loaded is not None and loaded.image == base.image:
            base = replace(base, why=loaded.why, details=loaded.details)
        return replace(base, pinned=self._pinned(role, image))

    def _pinned(self, role: str, image: ImageInfo) -> str:
        """Return the name@digest that the image was pulled by; "" for one made here."""
        if role not in self._pins.roles:
            return ""
        resolution = self._resolve(role)
        if resolution.candidate is None or resolution.image != image:
            return ""
        return resolution.candidate.pinned

    def _resolve(self, role: str) -> Resolution:
        if role not in self._resolutions:
            self._resolutions[role] = self._resolver.resolve(role)
        return self._resolutions[role]

    def _is_exact(self, resolution: Resolution) -> bool:
        """Return whether the role resolved to its first candidate, the study's."""
        first = self._pins.roles[resolution.role][0]
        return resolution.image is not None and resolution.candidate == first


def _dotnet(
    sdk: ImageInfo,
    runtime: ImageInfo,
    provides: Mapping[str, str],
    why: str,
    details: tuple[str, ...] = (),
) -> DotnetBases:
    """Return the bases as substitutes."""
    version, framework = provides["dotnet"], provides["framework"]
    return DotnetBases(sdk, runtime, version, framework, exact=False, why=why, details=details)
