"""The documentation: the reference is the commands' own, and every command shown exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from kit.cli import cli
from kit.cli.reference import reference

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_reference_is_what_the_commands_print() -> None:
    written = (ROOT / "docs" / "cli.md").read_text()
    # Releases of click break lines at other places.
    assert written.split() == reference().split(), "python -m kit.cli.reference > docs/cli.md"


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


@pytest.mark.parametrize("page, command", SHOWN, ids=lambda value: str(value)[:50])
def test_every_command_that_is_shown_parses(
    page: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command.partition(" > ")[0])[1:]
    found: click.Command = cli
    while isinstance(found, click.Group):
        if not words or words[0].startswith("-"):
            return  # kit --help
        assert words[0] in found.commands, f"{page}: {command}"
        found = found.commands[words.pop(0)]
    for word in words:
        # Folders and files that an example names are there for whoever follows it.
        if not word.startswith("-") and "=" not in word:
            Path(word).mkdir(parents=True, exist_ok=True)
    if not words:
        return
    if "--help" in words:
        return
    try:
        found.make_context(found.name, list(words), resilient_parsing=False)
    except click.MissingParameter:
        assert "DIR" not in command
    except click.BadParameter as error:
        # A file is wanted where the example made a folder.
        assert "is a directory" in str(error).lower(), f"{page}: {command}: {error}"


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
            if not target.startswith(("http:", "https:", "mailto:")):
                assert (page.parent / target).exists(), f"{page.name}: {target}"
