"""What the documentation shows: its pages, and the kit's commands on them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands_in(text: str) -> list[str]:
    """Commands in code spans and indented or fenced lines."""
    spans = re.findall(r"`(kit [^`]+)`", text)
    lines = re.findall(r"^ {4}(kit .+)$", text, re.MULTILINE)
    return [command for command in (*spans, *lines) if command.split()[1] != "COMMAND"]


SHOWN = [
    (page.name, command)
    for page in PAGES
    if page.name != "cli.md"
    for command in commands_in(page.read_text())
]
