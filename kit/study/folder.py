"""A study's folder: which files belong to the study, their limits, and its own pins.yaml.

The study's hash, the copy in a results folder and the contexts of image builds use the same
rule: every plain file below the folder belongs to the study, except files of version control,
Python and desktops. The author did not write those, and a clone may contain a token in them.

pins.yaml has the bases of the study's Dockerfiles, and its statements on components.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kit.errors import InputError
from kit.files.documents import read_yaml
from kit.files.folder import Folder, ReadLimits, open_folder
from kit.schemas import check

STUDY, CLAIMS, PINS = "study.yaml", "claims.yaml", "pins.yaml"
WORKLOAD_SCHEMA = "workload.schema.json"
DOCKERFILE = "Dockerfile"
VERSION_CONTROL = frozenset({".git", ".hg", ".svn", ".bzr"})
"""Names under which version control keeps its own files, also in results."""
DESKTOP = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Names of files that desktops put into any folder that a user views, also into results."""
LEFT_OUT = frozenset({"__pycache__", ".venv"}) | VERSION_CONTROL | DESKTOP
"""Names of files and folders, at any depth, that do not belong to a study."""
_DOCUMENT_BYTES = 1_000_000
RULES = ReadLimits(
    file_bytes=500_000_000,
    total_bytes=500_000_000,
    entries=10_000,
    missing="give the folder of a study: it holds study.yaml and claims.yaml",
    per_file=dict.fromkeys((STUDY, CLAIMS, PINS, WORKLOAD_SCHEMA), _DOCUMENT_BYTES),
    left_out=LEFT_OUT.__contains__,
)


@dataclass(frozen=True)
class StudyBase:
    """The base image of a build argument: one of kit's, or an image by its digest."""

    argument: str
    kit: str = ""
    image: str = ""


@dataclass(frozen=True)
class Declared:
    """The version of a component in the study's images, as the study declares it.

    With ``variants`` it applies only to images of those; ``{variants}`` in ``got`` stands for
    their values.
    """

    got: str
    exact: bool
    why: str
    variants: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StudyPins:
    """The bases of a study's Dockerfiles, and its declaration of every component."""

    bases: tuple[StudyBase, ...]
    components: Mapping[str, Declared]


def belongs(path: str) -> bool:
    """Return whether the file of that path below a study's folder is part of the study."""
    return not LEFT_OUT.intersection(path.split("/"))


def is_of_desktop(path: str) -> bool:
    """Return whether a desktop made the file of that path, so that results do not include it."""
    return path.rpartition("/")[2] in DESKTOP


def open_study(folder: Path) -> AbstractContextManager[Folder]:
    """Open a study for reading. Raise InputError where there is no folder."""
    return open_folder(folder, RULES)


def study_pins(folder: Path) -> StudyPins:
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
    return StudyPins(
        bases=tuple(StudyBase(name, **base) for name, base in document["bases"].items()),
        components={name: Declared(**row) for name, row in document["components"].items()},
    )
