"""kit verify looks at the plots of a folder, and at those in its page."""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.bench import reported, written
from support.folders import resummed, wrong

import kit.cli

pytestmark = [pytest.mark.drawn, pytest.mark.made_once]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("made"))


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / made.name))


def test_drawn_again_they_are_the_same(folder: Path) -> None:
    assert wrong(folder) == {}
    reported(folder)
    assert wrong(folder) == {}


def plots(folder: Path, ending: str = "") -> list[str]:
    return sorted(f"plots/{p.name}" for p in (folder / "plots").glob(f"*{ending}"))


def replaced(folder: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """This plot changed, in the folder and in the page, with sums to fit."""
    page = folder / "report.html"
    before = (folder / name).read_bytes()
    after = change(before)
    (folder / name).write_bytes(after)
    old, new = base64.b64encode(before), base64.b64encode(after)
    page.write_bytes(page.read_bytes().replace(old, new))
    resummed(folder)


def another_colour(svg: bytes) -> bytes:
    assert b"#d55e00" in svg
    return svg.replace(b"#d55e00", b"#009e73")


def another_chart(svg: bytes) -> bytes:
    """The drawing without its last path, as another version of matplotlib."""
    start = svg.rindex(b"<path ", 0, svg.rindex(b"clip-path="))
    without = svg[:start] + svg[svg.index(b"/>", start) + 2 :]
    return re.sub(rb"Matplotlib v[^,]+", b"Matplotlib v3.8.4", without)


def test_a_plot_that_shows_something_else_is_wrong(folder: Path, capsys) -> None:
    replaced(folder, "plots/gains.svg", another_colour)
    assert wrong(folder) == {"reports": ("plots/gains.svg does not follow from the log",)}
    assert kit.cli.run(["verify", str(folder)]) == 8


def test_a_plot_that_another_version_may_have_drawn_is_not_verified(folder: Path, capsys) -> None:
    replaced(folder, "plots/gains.svg", another_chart)
    assert wrong(folder) == {}
    assert kit.cli.run(["verify", str(folder)]) == 9
    captured = capsys.readouterr()
    assert "plots/gains.svg" in captured.out and "3.8.4" in captured.out


@pytest.mark.parametrize("by", [b"AAAA", b"a plot", b""])
def test_a_picture_in_the_page_is_one_of_the_folder_s_own(folder: Path, by: bytes) -> None:
    page = folder / "report.html"
    gains = base64.b64encode((folder / "plots/gains.svg").read_bytes())
    others = [n for n in plots(folder, ".svg") if n != "plots/gains.svg"]
    other = base64.b64encode((folder / others[0]).read_bytes()) if by == b"a plot" else by
    page.write_bytes(page.read_bytes().replace(gains, other, 1))
    resummed(folder)
    said = "report.html shows another picture of gains than the folder holds"
    assert wrong(folder) == {"reports": (said,)}


def test_a_picture_that_was_added_to_the_page_is_found(folder: Path) -> None:
    page = folder / "report.html"
    gains = base64.b64encode((folder / "plots/gains.svg").read_bytes())
    more = b'</body><img src="data:image/svg+xml;base64,' + gains + b'">'
    page.write_bytes(page.read_bytes().replace(b"</body>", more))
    resummed(folder)
    assert wrong(folder) == {"reports": ("report.html does not follow from the log",)}
