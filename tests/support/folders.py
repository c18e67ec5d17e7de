"""Results folders changed after the fact."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from kit.results.names import RUN_LOG


def rewritten(folder: Path, change) -> None:
    """The log with each run's line changed, its chain and the folder's reports made anew."""
    import hashlib

    lines, before = [], ""
    for line in (folder / RUN_LOG).read_text().splitlines():
        document = json.loads(line)
        change(document)
        document["after"] = before
        lines.append(json.dumps(document, sort_keys=True))
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
