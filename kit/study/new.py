"""A new study's folder, from the commented template."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from kit.errors import InputError
from kit.files.write import write_below
from kit.study.checks import LONGEST_NAME
from kit.study.folder import STUDY
from kit.study.load import study_files

_ID = "my-study"


def new_study(folder: Path) -> tuple[str, ...]:
    """Write the template into the folder and return the files' paths below it.

    Raises InputError for a folder that is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: is there and not empty", "name a new folder")
    template = study_files(Path(str(files("kit.study") / "template")))
    name = re.sub(r"[^a-z0-9-]+", "-", folder.resolve().name.lower())
    name = name.strip("-")[:LONGEST_NAME].strip("-") or _ID
    # Quoted: YAML reads 2024, no, null and 0x1f as values that are not text.
    study = template[STUDY].decode().replace(f"id: {_ID}", f'id: "{name}"')
    write_below(folder, {**template, STUDY: study.encode()})
    return tuple(template)
