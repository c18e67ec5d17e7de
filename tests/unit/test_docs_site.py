"""The documentation as a site: built as it is published, complete, and bound to no other host."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.documented import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("site")]

NOT_IN_THE_NAVIGATION = {"rooms.md"}
"""For those who change the code; its picture is drawn by GitHub."""
LOADED = ("stylesheet", "preconnect", "icon")


class Loads(HTMLParser):
    """The addresses that a page loads without a click."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        loaded = found.get("href") if tag == "link" and found["rel"] in LOADED else found.get("src")
        self.urls += [loaded] if loaded else []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "zensical.toml", folder)
    # Strict: a link to a page or a place that does not exist is an error.
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


def test_every_page_is_in_the_navigation() -> None:
    named = set(re.findall(r'"([\w-]+\.md)"', (ROOT / "zensical.toml").read_text()))
    there = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert named == there - NOT_IN_THE_NAVIGATION


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    loads = {path: Loads(path).urls for path in site.rglob("*.html")}
    assert len(loads) > 15
    assert {url for urls in loads.values() for url in urls if urlsplit(url).netloc} == set()


def test_texts_are_spelt_right() -> None:
    texts = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "CITATION.cff",
             "zensical.toml", "action.yml", "compose.yaml", ".github", "docs", "images", "kit",
             "tests"]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "codespell_lib", *texts],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == ""
    assert done.returncode == 0, done.stderr
