"""Reading pins.yaml and wanted.yaml, and checks that nobody edited what `kit lock` wrote."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from kit.errors import InputError
from kit.files import documents
from kit.schemas import check

PINS = Path(str(files(__package__))) / "pins.yaml"
WANTED = PINS.with_name("wanted.yaml")
WHERE = "kit/pins/pins.yaml"


@dataclass(frozen=True)
class Candidate:
    """One registry image for a base, pinned. ``provides`` maps a component to its version."""

    reference: str
    tag: str
    digest: str
    provides: Mapping[str, str]

    @property
    def pinned(self) -> str:
        """Return the image reference to pull: name and digest, never a tag."""
        return f"{self.reference}@{self.digest}"

    @property
    def readable(self) -> str:
        """Return the image reference with its tag, for reports."""
        return f"{self.reference}:{self.tag}"

    @property
    def registry(self) -> str:
        """Return the registry's host name; "docker.io" for short names."""
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
    """Pins that image builds use, from pins.yaml."""

    roles: Mapping[str, tuple[Candidate, ...]]
    fallback_suite: str
    fallback_python: str
    sdk: SdkPackage
    exact_binding: str
    substitute_binding: str
    tensorflow: str
    lists: Mapping[str, str]
    """sha256 of each list of wheels, by its path below the recipes."""


@cache
def shipped_pins() -> Pins:
    """Return the pins that ship with the kit. Raises InputError if they are damaged or edited."""
    document = pins_document()
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
        lists={path: content["sha256"] for path, content in document["wheels"].items()},
    )


@cache
def pins_document() -> dict[str, Any]:
    """Return the parsed pins.yaml, checked against its schema and checksum. Raises InputError."""
    document = read_yaml(PINS)
    check("pins", document, WHERE, "run kit lock in a checkout, or reinstall the kit")
    if not has_valid_checksum(document):
        raise InputError(
            f"{WHERE}: was edited by hand (its content_sha256 does not fit)",
            "put what you want into wanted.yaml and run kit lock; or reinstall the kit",
        )
    return document


def read_yaml(path: Path) -> dict[str, Any]:
    """Return a YAML mapping read from the folder of pins. Raises InputError if it is unreadable."""
    where = f"kit/pins/{path.name}"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{where}: cannot be read ({error.strerror})", "reinstall the kit"
        ) from error
    document = documents.read_yaml(content, where, "reinstall the kit")
    if not isinstance(document, dict):
        raise InputError(f"{where}: not a mapping", "reinstall the kit")
    return dict(document)


def refuse_edited_lists(recipes: Path, pins: Pins) -> None:
    """Raise InputError naming every list of wheels that differs from what the pins record.

    ``recipes`` is the folder with the lists.
    """
    edited = []
    for name, digest in pins.lists.items():
        path = recipes / name
        found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"
        if found != digest:
            edited.append(f"images/{name}")
    if edited:
        raise InputError(
            f"{', '.join(edited)}: not the pinned list (edited, damaged or missing)",
            "run kit lock in a checkout, or reinstall the kit",
        )


CHECKSUM = "content_sha256"
"""Field of a generated file: a hash over its other content, to detect edits."""


def checksum_of(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a document of pins as canonical JSON, without its checksum.

    Canonical JSON is sorted and compact.
    """
    content = {key: value for key, value in document.items() if key != CHECKSUM}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def with_checksum(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document of pins with its checksum (see ``checksum_of``) added."""
    return {**document, CHECKSUM: checksum_of(document)}


def has_valid_checksum(document: Mapping[str, Any]) -> bool:
    """Return whether the checksum in a document of pins matches its content."""
    return document.get(CHECKSUM) == checksum_of(document)
