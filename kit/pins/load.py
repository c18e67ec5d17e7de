"""The pins as frozen values: which images and parts the kit uses, by digest."""

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
    lists: Mapping[str, str]
    """sha256 of each list of wheels, by its path below the recipes."""


@cache
def shipped_pins() -> Pins:
    """The pins that ship with the kit. Raises InputError when they were damaged or edited."""
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
    """pins.yaml, checked against its schema and its own seal. Raises InputError."""
    document = read_yaml(PINS)
    check("pins", document, WHERE, "run kit lock in a checkout, or reinstall the kit")
    if not is_whole(document):
        raise InputError(
            f"{WHERE}: was edited by hand (its content_sha256 does not fit)",
            "put what you want into wanted.yaml and run kit lock; or reinstall the kit",
        )
    return document


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file of this folder. Raises InputError when it cannot be read."""
    where = f"kit/pins/{path.name}"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{where}: cannot be read ({error.strerror})", "reinstall the kit"
        ) from error
    document = documents.read_yaml(content, where, "reinstall the kit")
    if not isinstance(document, dict):
        raise InputError(f"{where}: is no mapping", "reinstall the kit")
    return dict(document)


def refuse_edited_lists(recipes: Path, pins: Pins) -> None:
    """Raise InputError that names every list of wheels which is not the pinned one."""
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


SEAL = "content_sha256"
"""The field of a generated file with a hash over its other content, so that edits are seen."""


def seal_of(document: Mapping[str, Any]) -> str:
    """sha256 of the document without its seal, as canonical JSON (sorted, compact)."""
    content = {key: value for key, value in document.items() if key != SEAL}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def sealed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with its seal."""
    return {**document, SEAL: seal_of(document)}


def is_whole(document: Mapping[str, Any]) -> bool:
    """Whether the seal fits the content."""
    return document.get(SEAL) == seal_of(document)
