"""The documentation: the reference is the commands' own, and every command shown exists."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import click
import pytest
from documented import PAGES, ROOT, SHOWN

from kit.cli import cli
from kit.cli.reference import reference

QUOTED = re.compile(r"^`([^`]+)`$", re.MULTILINE)


def test_the_reference_is_what_the_commands_print() -> None:
    written = (ROOT / "docs" / "cli.md").read_text()
    # Releases of click break lines at other places.
    assert written.split() == reference().split(), "python -m kit.cli.reference > docs/cli.md"


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


def texts_of_the_code() -> list[re.Pattern[str]]:
    """Every text in the kit's code, with its blanks open."""
    found = []
    for path in sorted((ROOT / "kit").rglob("*.py")):
        tree = ast.parse(path.read_text())
        parts = {part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
                 for part in node.values}  # fmt: skip
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                values = node.values
            elif isinstance(node, ast.Constant) and node not in parts:
                values = [node]
            else:
                continue
            texts = [v.value if isinstance(v, ast.Constant) else None for v in values]
            if sum(len(text) for text in texts if isinstance(text, str)) >= 12:
                found.append("".join(re.escape(t) if isinstance(t, str) else ".+?" for t in texts))
    return [re.compile(text, re.DOTALL) for text in found]


def test_the_messages_explained_are_the_codes_own() -> None:
    page = (ROOT / "docs" / "faq.md").read_text()
    messages = QUOTED.findall(page)
    assert len(messages) >= 15
    texts = texts_of_the_code()
    unknown = [m for m in messages if not any(text.fullmatch(m) for text in texts)]
    assert unknown == []
