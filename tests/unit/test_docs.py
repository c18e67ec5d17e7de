"""The documentation: the reference is the commands' own, and every command shown exists."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
import yaml
from lint.reference import PAGES as REFERENCE
from support.documented import PAGES, ROOT, SECURITY, SHOWN
from support.sessions import make_session, make_study, paired

import kit
from kit.cli import cli
from kit.environment import VARIABLES
from kit.report.build import build_report
from kit.report.files import is_picture, report_files

pytestmark = pytest.mark.slow

QUOTED = re.compile(r"^`([^`]+)`$", re.MULTILINE)
MIN_WORDED = 0.55


@pytest.mark.parametrize("name, page", REFERENCE.items())
def test_the_reference_is_what_the_code_says(name: str, page: Callable[[], str]) -> None:
    written = (ROOT / "docs" / name).read_text()
    # Releases of click break lines at other places.
    assert written.split() == page().split(), "run python -m tests.lint.reference"


@pytest.mark.parametrize("page, command", SHOWN, ids=lambda value: str(value)[:50])
def test_every_command_that_is_shown_parses(
    page: str,
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
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
        # Below the group, as when it runs: a command keeps the help option of its first context.
        top = cli.make_context("kit", [], resilient_parsing=True)
        found.make_context(found.name, list(words), parent=top, resilient_parsing=False)
    except click.MissingParameter:
        assert "DIR" not in command
    except click.BadParameter as error:
        # A file is wanted where the example made a folder.
        assert "is a directory" in str(error).lower(), f"{page}: {command}: {error}"
    assert capsys.readouterr().err == "", "an old name"


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
            if not target.startswith(("http:", "https:", "mailto:")):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_map_of_the_code_names_what_is_there() -> None:
    named = re.findall(r"`((?:kit|tests|images)/[\w./-]*)`", (ROOT / "CONTRIBUTING.md").read_text())
    made = {"kit/images/recipes"}  # in the wheel
    assert len(named) > 30
    assert [name for name in named if name not in made and not (ROOT / name).exists()] == []


def test_every_line_of_the_threat_model_names_tests_that_exist() -> None:
    rows = re.findall(r"^\| (?!can or cannot|---)(.+) \| (.+) \|$", SECURITY.read_text(), re.M)
    assert len(rows) >= 25
    for said, shown in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", shown)
        assert named and len(named) == shown.count("`") // 2, said
        for file, name in named:
            tree = ast.parse((ROOT / file).read_text())
            there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
            assert name in there, f"{file}::{name}"


Text = tuple[str | None, ...]
"""A text of the kit's code, None for each blank."""


def texts_of_the_code() -> list[Text]:
    found: dict[Text, None] = {}
    for path in sorted((ROOT / "kit").rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        parts = {part for node in nodes if isinstance(node, ast.JoinedStr)
                 for part in node.values}  # fmt: skip
        for node in nodes:
            if isinstance(node, ast.JoinedStr):
                values = node.values
            elif isinstance(node, ast.Constant) and node not in parts:
                values = [node]
            else:
                continue
            constants = [v.value if isinstance(v, ast.Constant) else None for v in values]
            text = tuple(value if isinstance(value, str) else None for value in constants)
            if sum(map(len, filter(None, text))) >= 7:
                found[text] = None
    return list(found)


def fit(message: str, text: Text) -> re.Match[str] | None:
    if not all(part in message for part in text if part is not None):
        return None  # most of them, at a hundredth of the time of a pattern
    pattern = "".join("(.+?)" if part is None else re.escape(part) for part in text)
    return re.fullmatch(pattern, message)


def worded(message: str, texts: list[Text]) -> int:
    """How many characters of the message the code words, 0 where no text of it fits.

    What is filled in counts where it is several words that the code words too.
    """
    most = 0
    for found in filter(None, (fit(message, text) for text in texts)):
        blanks = [blank for blank in found.groups() if blank is not None]
        inside = sum(worded(blank, texts) for blank in blanks if " " in blank)
        most = max(most, len(message) - sum(map(len, blanks)) + inside)
    return most


def test_the_messages_explained_are_the_codes_own() -> None:
    page = (ROOT / "docs" / "faq.md").read_text()
    messages = QUOTED.findall(page)
    assert len(messages) >= 15
    texts = texts_of_the_code()
    # The rest is numbers, names and places.
    shares = {message: worded(message, texts) / len(message) for message in messages}
    assert {message: share for message, share in shares.items() if share < MIN_WORDED} == {}
    # Blanks let no message pass that the code words otherwise.
    older = "shards/2: its plan is not that of shards/1"
    assert worded(older, texts) / len(older) < MIN_WORDED


def test_the_variables_that_are_documented_are_those_that_are_read() -> None:
    page = (ROOT / "docs" / "environment.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \|$", page, re.MULTILINE)
    assert rows == [(v.name, v.use, v.values) for v in VARIABLES]


def test_every_file_of_a_report_is_explained() -> None:
    page = (ROOT / "docs" / "verdicts.md").read_text()
    session = make_session(paired([1.0, 1.1, 1.2]))
    for name in report_files(build_report(session, make_study())):
        shown = "plots/" if is_picture(name) else re.sub("(python|dotnet)-cpu", "ARM", name)
        assert f"`{shown}`" in page


@pytest.mark.parametrize(
    "schema, file",
    [("study", "study.yaml"), ("claims", "claims.yaml"), ("study-pins", "pins.yaml")],
)
def test_every_key_of_a_study_is_in_the_template(schema: str, file: str) -> None:
    document = json.loads((ROOT / "kit" / "schemas" / f"{schema}.schema.json").read_text())
    text = (ROOT / "kit" / "study" / "template" / file).read_text()
    assert [key for key in sorted(set(keys(document))) if not re.search(rf"\b{key}\b", text)] == []


def keys(schema: object) -> Iterator[str]:
    """Every key, and every word of a list of words, that a JSON Schema lets stand."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        yield from (word for word in schema.get("enum", ()) if isinstance(word, str))
    for part in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(part, dict | list):
            yield from keys(part)


def test_every_place_that_names_the_version_names_this_one() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    major_minor = ".".join(kit.__version__.split(".")[:2])
    released = re.findall(
        r"^## (\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text(), re.M
    )
    assert citation["version"] == kit.__version__
    assert released[0] == (kit.__version__, str(citation["date-released"]))
    assert f"newest version, {major_minor}." in (ROOT / "SECURITY.md").read_text()
