"""A bundle that was saved for several tests."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Saved:
    """The file, and how the command that made it ended."""

    file: Path
    saved: subprocess.CompletedProcess[str]
