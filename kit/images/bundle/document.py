"""bundle.json as frozen values: the content of a bundle, and the use of each image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from kit.errors import InputError
from kit.files.documents import read_json
from kit.images.bundle.bases import Base
from kit.schemas import check

SCHEMA = 2
FEED = "nuget"
"""The bundle's folder of NuGet packages, and the value of ``nuget_source`` that means it."""
_REMEDY = "make the bundle again with `kit bundle save`"
# Names of an architecture in engines, and in the platform of an image.
_PLATFORMS = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Member:
    """One image. ``references`` are the names that a load gives it."""

    id: str
    references: tuple[str, ...]
    recipe: str
    size_bytes: int


@dataclass(frozen=True)
class Document:
    """Content of a bundle. ``arms`` maps an arm to its image, ``bases`` a role to its base."""

    kit_version: str
    created: str
    architecture: str
    images: tuple[Member, ...]
    arms: Mapping[str, str]
    bases: Mapping[str, Base]
    nuget_source: str


def platform(machine: str) -> str:
    """Return one name for an architecture, whichever name the engine uses."""
    return _PLATFORMS.get(machine, machine)


def dumps(document: Document) -> bytes:
    """Return the document as JSON, the same bytes for the same values."""
    values = {"schema": SCHEMA, **asdict(document)}
    return (json.dumps(values, indent=2, sort_keys=True) + "\n").encode()


def loads(text: bytes, where: str) -> Document:
    """Return the document of such JSON. Raises InputError naming ``where`` and the field."""
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
