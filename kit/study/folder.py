"""Opening a study's folder: which files belong to the study, and their limits.

The study's hash, the copy in a results folder and the contexts of image builds use the same
rule: every plain file below the folder belongs to the study, except files of version control,
Python and desktops. The author did not write those, and a clone may contain a token in them.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from kit.files.folder import Folder, Rules, open_folder

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

RULES = Rules(
    file_bytes=500_000_000,
    total_bytes=500_000_000,
    entries=10_000,
    missing="give the folder of a study: it holds study.yaml and claims.yaml",
    of=dict.fromkeys((STUDY, CLAIMS, PINS, WORKLOAD_SCHEMA), _DOCUMENT_BYTES),
    left_out=LEFT_OUT.__contains__,
)


def belongs(path: str) -> bool:
    """Return whether a file of that path below the folder is part of the study."""
    return not LEFT_OUT.intersection(path.split("/"))


def is_of_desktop(path: str) -> bool:
    """Return whether a desktop made the file of that path, so that results do not include it."""
    return path.rpartition("/")[2] in DESKTOP


def open_study(folder: Path) -> AbstractContextManager[Folder]:
    """Open a study for reading. Raise InputError where there is no folder."""
    return open_folder(folder, RULES)
