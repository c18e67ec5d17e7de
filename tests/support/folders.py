"""Results folders changed after the fact."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from kit.results import RUN_LOG, SUMS
from kit.results.folder import sums_of
from kit.verify import verify_folder


def rewritten(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """The log with each line changed, and its chain made anew."""
    lines = [json.loads(line) for line in (folder / RUN_LOG).read_text().splitlines()]
    for document in lines:
        change(document)
    chained(folder, lines)


def chained(folder: Path, documents: Iterable[dict[str, Any]]) -> None:
    """A log of these lines, its chain made anew; what numbers them stays as it is."""
    lines, before = [], ""
    for document in documents:
        lines.append(json.dumps({**document, "after": before}, sort_keys=True))
        before = hashlib.sha256(lines[-1].encode()).hexdigest()
    (folder / RUN_LOG).write_text("\n".join(lines) + "\n")


def unreadable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The file or folder of that name as another user has it (the tests may run as root)."""
    opened = os.open

    def refused(path: object, *arguments: Any, **named: Any) -> int:
        if path == name:
            raise PermissionError(13, "Permission denied", name)
        return opened(path, *arguments, **named)

    monkeypatch.setattr(os, "open", refused)


def wrong(folder: Path) -> dict[str, tuple[str, ...]]:
    """What kit verify finds wrong in a folder, by what it looked at."""
    return {found.what: found.wrong for found in verify_folder(folder) if found.wrong}


def resummed(folder: Path) -> None:
    """What somebody does who changes a file and hides it."""
    (folder / SUMS).write_bytes(sums_of(folder))
