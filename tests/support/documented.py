"""What the documentation shows: its pages, and the commands on them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECURITY = ROOT / "SECURITY.md"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    SECURITY,
    *sorted((ROOT / "docs").glob("*.md")),
]


def commands_in(text: str, programs: str) -> list[str]:
    """Commands of those programs in code spans and indented or fenced lines."""
    spans = re.findall(rf"`((?:{programs}) [^`]+)`", text)
    lines = re.findall(rf"^ {{4}}((?:{programs}) .+)$", text, re.MULTILINE)
    found = (" ".join(command.split()) for command in (*spans, *lines))
    return [command for command in found if command.split()[1] != "COMMAND"]


def _on_pages(programs: str) -> list[tuple[str, str]]:
    return [
        (page.name, command)
        for page in PAGES
        if page.name != "cli.md"
        for command in commands_in(page.read_text(), programs)
    ]


SHOWN = _on_pages("kit")
"""The kit's own, by page."""
SHELL = _on_pages("pip|python3?|tar|apt-get|docker|pytest")
"""Those of other programs."""
