"""A study's own pins.yaml: the bases of its Dockerfiles, and its statements on components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kit.errors import InputError
from kit.files.documents import read_yaml
from kit.schemas import check
from kit.study.folder import PINS, open_study


@dataclass(frozen=True)
class OwnBase:
    """The base image of a build argument: one of kit's, or an image by its digest."""

    argument: str
    kit: str = ""
    image: str = ""


@dataclass(frozen=True)
class Vouched:
    """The version of a component in the study's images, as the study declares it.

    With ``variants`` it applies only to images of those; ``{variants}`` in ``got`` stands for
    their values.
    """

    got: str
    exact: bool
    why: str
    variants: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OwnPins:
    """The bases of a study's Dockerfiles, and its declaration of every component."""

    bases: tuple[OwnBase, ...]
    components: Mapping[str, Vouched]


def own_pins(folder: Path) -> OwnPins:
    """Return the pins of the study in that folder. Raises InputError naming file and field."""
    path = folder / PINS
    remedy = "see the schema kit/schemas/study-pins.schema.json for what the file must hold"
    with open_study(folder) as study:
        if not study.holds(PINS):
            raise InputError(
                f"{path}: missing file",
                "a study with its own Dockerfiles lists their base images there",
            )
        content = study.read(PINS)
    document: dict[str, Any] = read_yaml(content, str(path), remedy)
    check("study-pins", document, str(path), remedy)
    return OwnPins(
        bases=tuple(OwnBase(name, **base) for name, base in document["bases"].items()),
        components={name: Vouched(**row) for name, row in document["components"].items()},
    )
