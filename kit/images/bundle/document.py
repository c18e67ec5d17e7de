"""bundle.json as frozen values: the content of a bundle, each image's use, and its base images."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from kit.engine.protocol import Engine, ImageInfo
from kit.errors import InputError
from kit.files.documents import read_json
from kit.images.bases.bootstrap import Bootstrap, PythonBase
from kit.images.build.recipe import PYTHON
from kit.schemas import check

SCHEMA = 2
FEED = "nuget"
"""The bundle's folder of NuGet packages, and the value of ``nuget_source`` that means it."""
_REMEDY = "make the bundle again with `kit bundle save`"
# Names of an architecture in engines, and in the platform of an image.
_PLATFORMS = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Member:
    """One image in a bundle. ``references`` are the names (name:tag) that a load gives it."""

    id: str
    references: tuple[str, ...]
    recipe: str
    size_bytes: int


@dataclass(frozen=True)
class Document:
    """The content of a bundle. ``arms`` maps an arm to its image, ``bases`` a role to its base."""

    kit_version: str
    created: str
    architecture: str
    images: tuple[Member, ...]
    arms: Mapping[str, str]
    bases: Mapping[str, Base]
    nuget_source: str


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

    def pulled_by_digest(self, engine: Engine, role: str, pinned: str) -> ImageInfo | None:
        """Return the local image that the bundle has for that role and the digest ``pinned``.

        None unless its maker pulled the role's base by that digest and the engine still has it.
        """
        base = self.bases.get(role)
        return engine.find_image(base.image) if base and base.pinned == pinned else None

    def substitute(self, engine: Engine, role: str) -> tuple[Base, ImageInfo] | None:
        """Return the bundle's base of that role, and its local image, if it is a substitute.

        Its maker's bootstrap made it. None if it is not, or if the engine no longer has the image.
        """
        base = self.bases.get(role)
        if base is None or base.pinned:
            return None
        image = engine.find_image(base.image)
        return None if image is None else (base, image)


class Substitutes:
    """Substitute base images: the loaded bundle's if it has one, else the bootstrap's."""

    def __init__(self, engine: Engine, bundle: Bundle | None, bootstrap: Bootstrap) -> None:
        self._engine = engine
        self._bundle = bundle
        self._bootstrap = bootstrap

    def python(self) -> PythonBase:
        """Return the base image with CPython. Raises HostError or ImageError."""
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
        """Return the .NET SDK base: image, versions by component, why it is used, and details.

        Raises HostError or ImageError.
        """
        found = self._bundle and self._bundle.substitute(self._engine, "dotnet-sdk")
        if not self._bundle or not found:
            return (*self._bootstrap.sdk(), "no registry image available", ())
        base, image = found
        return image, base.provides, f"{self._bundle.origin}: {base.why}", base.details

    def bare(self) -> ImageInfo:
        """Return the image of a Debian without any Python. Raises HostError or ImageError."""
        found = self._bundle and self._bundle.substitute(self._engine, "bare")
        return found[1] if found else self._bootstrap.bare()


def platform(machine: str) -> str:
    """Return one name for a machine's architecture: engines name it differently."""
    return _PLATFORMS.get(machine, machine)


def dumps(document: Document) -> bytes:
    """Return a bundle's document as JSON, the same bytes for the same values."""
    values = {"schema": SCHEMA, **asdict(document)}
    return (json.dumps(values, indent=2, sort_keys=True) + "\n").encode()


def loads(text: bytes, where: str) -> Document:
    """Return a bundle's document from JSON. Raises InputError naming ``where`` and the field."""
    try:
        values: Any = read_json(text)
    except ValueError as error:
        raise InputError(f"{where}: not JSON ({error})", _REMEDY) from error
    number = values.get("schema") if isinstance(values, dict) else None
    if isinstance(number, int) and number != SCHEMA:
        raise InputError(
            f"{where}: written in form {number}, this kit reads form {SCHEMA}",
            "install the kit that is in the bundle's wheels/",
        )
    check("bundle", values, where, _REMEDY)
    document = Document(
        kit_version=values["kit_version"],
        created=values["created"],
        architecture=values["architecture"],
        images=tuple(
            Member(image["id"], tuple(image["references"]), image["recipe"], image["size_bytes"])
            for image in values["images"]
        ),
        arms=values["arms"],
        bases={
            role: Base(**{**base, "details": tuple(base["details"])})
            for role, base in values["bases"].items()
        },
        nuget_source=values["nuget_source"],
    )
    _refuse_unknown_images(document, where)
    return document


def _refuse_unknown_images(document: Document, where: str) -> None:
    known = {image.id for image in document.images}
    for what, used in (
        ("arms", document.arms),
        ("bases", {role: base.image for role, base in document.bases.items()}),
    ):
        for name, image in used.items():
            if image not in known:
                raise InputError(f"{where}: {what}.{name}: {image[:19]} is in no image", _REMEDY)
