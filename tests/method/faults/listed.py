"""The list of faults, as it is written in the YAML files of this folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
GROUPS = ("fixes", "rooms")


@dataclass(frozen=True)
class Fault:
    """A change of the code that tests must find.

    ``old`` occurs once in ``file``, a path below ``kit/``, and becomes ``new``. ``tests`` are
    paths or node ids of pytest, of which one must fail.
    """

    group: str
    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def applied(self, source: str) -> str:
        """Return the source with the fault. Raise ValueError where ``old`` is not there once."""
        if source.count(self.old) != 1:
            raise ValueError(f"{self.name}: {source.count(self.old)} times in {self.file}")
        return source.replace(self.old, self.new)


@cache
def faults() -> tuple[Fault, ...]:
    """Return all faults, in the order of the files."""
    return tuple(_fault(group, entry) for group in GROUPS for entry in _entries(group))


def _entries(group: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = yaml.safe_load((HERE / f"{group}.yaml").read_text())
    return entries


def _fault(group: str, entry: dict[str, Any]) -> Fault:
    return Fault(group, **{**entry, "tests": tuple(entry["tests"])})
