"""A plot passes only where all that it shows was compared with what is drawn from the log."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from golden.archive import GOLDEN, opened
from PIL import Image

from kit.report.build import build_report
from kit.report.files import picture_address, report_files
from kit.report.plots import pieces
from kit.report.plots.paths import outline
from kit.report.plots.raster import png
from kit.report.plots.style import DPI, figure, rendered, styled
from kit.results.opened import study_for
from kit.results.runlog import read_session
from kit.verify.plots import compare, in_page

pytestmark = [pytest.mark.drawn, pytest.mark.made_once]

GAINS, ORDER = "plots/gains.svg", "plots/order.svg"
Files = dict[str, bytes]
Change = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The files of a report, derived here."""
    folder = opened(GOLDEN, tmp_path_factory.mktemp("golden"))
    session = read_session(folder)
    study = study_for(folder, session.header.plan.study_sha256)
    return dict(report_files(build_report(session, study)))


def swapped(old: bytes, new: bytes, count: int = 1) -> Change:
    def change(content: bytes) -> bytes:
        assert old in content
        return content.replace(old, new, count)

    return change


def another_version(svg: bytes) -> bytes:
    return re.sub(rb"Matplotlib v[^,]+", b"Matplotlib v3.8.4", svg)


def another_layout(svg: bytes, down: float) -> bytes:
    """The drawing with its texts further down."""
    text = re.compile(rb"(?<=translate\()(\S+) (\S+)(?=\) (?:scale|rotate))")
    return text.sub(lambda at: b"%b %f" % (at[1], float(at[2]) + down), svg)


def with_glyph(svg: bytes) -> bytes:
    """The drawing with one digit of a label as another one."""
    digits = list(dict.fromkeys(re.findall(rb'<use xlink:href="(#DejaVuSans-1[4-9a-f])"', svg)))
    return swapped(b'<use xlink:href="' + digits[0], b'<use xlink:href="' + digits[1])(svg)


def with_interval(svg: bytes) -> bytes:
    """The drawing with the end of the measured interval 5 points further right."""
    bar = re.compile(
        rb'(L )(\d+\.\d+)( [^"]*" clip-path="[^"]*" style="fill: none; stroke: #0072b2)'
    )
    changed, times = bar.subn(lambda f: b"%b%f%b" % (f[1], float(f[2]) + 5, f[3]), svg, 1)
    assert times == 1
    return changed


def chart(title: str) -> tuple[bytes, bytes]:
    """Another chart, SVG and PNG, by the library that draws kit's own."""
    with styled():
        drawn, axes = figure(2)
        axes.plot([1, 6.7], [0, 0], "o")
        axes.set_title(title)
        return rendered(drawn)


@pytest.mark.parametrize(
    "change",
    [
        lambda svg: svg.replace(b"\n<", b"\n <"),
        lambda svg: re.sub(rb"#?\b[mp][0-9a-f]{10}\b", lambda i: i[0] + b"x", svg),
        another_version,
        swapped(b"<!-- ", b"<!-- another comment "),
    ],
)
def test_what_nobody_sees_may_differ(made: Files, change: Change) -> None:
    found = {**made, GAINS: change(made[GAINS])}
    assert found != made
    told = compare(made, found)
    assert (told.wrong, told.unverified, told.alike) == ((), (), (GAINS,))


def test_a_layout_may_differ_by_a_point_and_its_png_with_it(made: Files) -> None:
    moved = another_version(another_layout(made[ORDER], 0.7))
    found = {**made, ORDER: moved, "plots/order.png": png(moved, DPI)}
    told = compare(made, found)
    assert (told.wrong, told.unverified, told.alike) == ((), (), (ORDER, "plots/order.png"))
    # The PNG is of this drawing, not of the one made here.
    assert compare(made, {**found, ORDER: made[ORDER]}).wrong


@pytest.mark.parametrize("version", [bytes, another_version])
@pytest.mark.parametrize(
    "change",
    [
        with_glyph,
        with_interval,
        lambda svg: another_layout(svg, 1.5),
        swapped(b"#d55e00", b"#009e73", -1),
        swapped(b"stroke: #0072b2; stroke-width: 2.5", b"stroke: #0072b2; stroke-width: 9"),
        swapped(b"</svg>", b'<g><path d="M 0 0 L 90 90" style="fill: none"/></g></svg>'),
        swapped(b'<g id="axes_1">', b'<g id="axes_1" style="opacity: 0">'),
        swapped(b'<g id="axes_1">', b'<g id="axes_1" transform="scale(0.5)">'),
        swapped(b'height="126pt"', b'height="12pt"'),
    ],
)  # fmt: skip
def test_what_shows_something_else_never_passes(
    made: Files, change: Change, version: Change
) -> None:
    told = compare(made, {**made, GAINS: version(change(made[GAINS]))})
    (line,) = told.wrong + told.unverified
    assert line.startswith(GAINS)
    if version is bytes:
        assert told.wrong


@pytest.mark.parametrize("version", [bytes, another_version])
@pytest.mark.parametrize(
    "change",
    [
        swapped(b"</svg>", b'<text x="9" y="9">REPRODUCED</text></svg>'),
        swapped(b"</svg>", b'<image x="0" y="0" xlink:href="a.png"/></svg>'),
        swapped(b"</svg>", b"<script>1</script></svg>"),
        swapped(b"</svg>", b'<svg width="9" height="9"/></svg>'),
        swapped(b"</svg>", b'<p xmlns="http://www.w3.org/1999/xhtml"/></svg>'),
        swapped(b"</svg>", b'<use xlink:href="http://example.org/#a"/></svg>'),
        swapped(b"</svg>", b'<use xlink:href="#axes_1"/></svg>'),
        swapped(b"</svg>", b"REPRODUCED</svg>"),
        swapped(b"stroke-linecap: butt}", b"stroke-linecap: butt} path{fill: red}"),
        swapped(b"<style", b'<style type="text/css">path{fill: red}</style><style'),
        lambda svg: re.sub(rb"<style.*</style>", b"", svg),
        swapped(b"</clipPath>", b"<style>*{fill: red}</style></clipPath>"),
        swapped(b"</metadata>", b"<style>*{fill: red}</style></metadata>"),
        swapped(b'<g id="figure_1">', b'<g id="figure_1" class="a">'),
        swapped(b'<g id="figure_1">', b'<g id="figure_1" onload="a()">'),
        swapped(b'<g id="figure_1">', b'<g id="figure_1" style="filter: blur(9px)">'),
        swapped(b"<svg ", b'<?xml-stylesheet href="a.css"?><svg '),
        swapped(b'svg11.dtd"', b'svg11.dtd" [<!ENTITY a "b">]'),
        swapped(b'svg11.dtd"', b'svg11.dtd" [<!ATTLIST path fill CDATA "red">]'),
        swapped(b'encoding="utf-8"', b'encoding="utf-16"'),
        swapped(b"L ", b"l "),
        swapped(b"\nL ", "\u00a0L ".encode()),
        swapped(b"\nL ", b"&more;L "),
        swapped(b'<g id="axes_1">', b'<g id="DejaVuSans-14">'),
        swapped(b"</svg>", b""),
        lambda svg: b"",
        lambda svg: svg + b"<svg/>",
        lambda svg: svg.replace(b"</svg>", b"<g>" * 99 + b"</g>" * 99 + b"</svg>"),
    ],
)
def test_what_kit_never_draws_is_wrong_whoever_drew_it(
    made: Files, change: Change, version: Change
) -> None:
    told = compare(made, {**made, GAINS: version(change(made[GAINS]))})
    (line,) = told.wrong
    assert line.startswith(f"{GAINS} holds")


def test_two_plots_that_changed_places_are_both_wrong(made: Files) -> None:
    pairs = ((GAINS, ORDER), ("plots/gains.png", "plots/order.png"))
    found = dict(made)
    for one, other in pairs:
        found |= {one: made[other], other: made[one]}
    assert {line.split()[0] for line in compare(made, found).wrong} == {*pairs[0], *pairs[1]}


def test_a_chart_of_another_title_in_place_of_all_plots_does_not_pass(made: Files) -> None:
    false_svg, false_png = chart("REPRODUCED: 6.7x faster")
    names = [name for name in made if name.startswith("plots/")]
    false = {name: false_svg if name.endswith("svg") else false_png for name in names}
    told = compare(made, {**made, **false})
    assert sorted(line.split()[0] for line in told.wrong) == sorted(names)
    false |= {name: another_version(false_svg) for name in names if name.endswith("svg")}
    told = compare(made, {**made, **false})
    assert sorted(line.split()[0] for line in told.wrong + told.unverified) == sorted(names)


def test_the_page_shows_the_files_that_were_compared(made: Files) -> None:
    pictures = [picture_address(name, made[name]) for name in (GAINS, ORDER)]
    assert list(in_page(made, made)) == []
    for picture in (pictures[1], picture_address(GAINS, another_version(made[GAINS]))):
        page = made["report.html"].replace(pictures[0], picture, 1)
        (line,) = in_page(made, {**made, "report.html": page})
        assert "gains" in line


RGB = b"\x08\2\0\0\0"


def chunk(kind: bytes, content: bytes) -> bytes:
    total = zlib.crc32(kind + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + kind + content + total


def pixels_changed(picture: bytes, change: Callable[[np.ndarray], None], **more: object) -> bytes:
    shown = np.array(Image.open(io.BytesIO(picture)))
    change(shown)
    content = io.BytesIO()
    Image.fromarray(shown).save(content, "png", **more)
    return content.getvalue()


def blot(shown: np.ndarray) -> None:
    """A dark dot."""
    shown[100:103, 200:203] = 100


def stain(shown: np.ndarray) -> None:
    """A mark of some size, faint whatever lies there."""
    place = shown[100:110, 200:210]
    place[:] = np.where(place > 127, place - 30, place + 30)


def test_a_png_packed_otherwise_shows_the_same(made: Files) -> None:
    found = pixels_changed(
        made["plots/gains.png"], lambda shown: None, compress_level=1, dpi=(DPI, DPI)
    )
    assert found != made["plots/gains.png"]
    told = compare(made, {**made, "plots/gains.png": found})
    assert (told.wrong, told.unverified) == ((), ())


@pytest.mark.parametrize(
    "change",
    [
        lambda picture: pixels_changed(picture, blot, dpi=(DPI, DPI)),
        lambda picture: pixels_changed(picture, stain, dpi=(DPI, DPI)),
        lambda picture: pixels_changed(picture, lambda shown: None, dpi=(DPI, 9)),
        lambda picture: picture + b"more",
        lambda picture: picture[:-1] + b"\0",
        lambda picture: picture[:-12],
        lambda picture: picture[: len(picture) // 2],
        lambda picture: b"",
        lambda picture: b"<svg/>",
        lambda picture: picture[:8] + chunk(b"IHDR", b"\xff" * 8 + RGB) + picture[33:],
        lambda picture: picture[:33] + chunk(b"gAMA", b"\0\0\0\1") + picture[33:],
        lambda picture: picture[:33] + chunk(b"acTL", b"\0\0\0\2\0\0\0\0") + picture[33:],
        lambda picture: picture[:33] + chunk(b"IDAT", b"none") + picture[33:],
    ],
)  # fmt: skip
def test_a_png_that_shows_anything_else_is_wrong(made: Files, change: Change) -> None:
    found = {**made, "plots/gains.png": change(made["plots/gains.png"])}
    assert compare(made, found).wrong == ("plots/gains.png does not follow from the log",)


@pytest.mark.parametrize("change", [with_glyph, swapped(b"#d55e00", b"#009e73", -1)])
def test_a_png_of_a_changed_drawing_is_wrong(made: Files, change: Change) -> None:
    """One digit, or one colour."""
    found = {**made, "plots/gains.png": png(change(made[GAINS]), DPI)}
    assert compare(made, found).wrong == ("plots/gains.png does not follow from the log",)


@pytest.mark.parametrize(("lines", "kept"), [(10, True), (10_000, False)])
def test_only_what_letters_are_made_of_stays_in_memory(lines: int, kept: bool) -> None:
    text = "M 0 0" + " L 1 2" * lines
    found = outline(text)
    assert found.points == ((0, 0), *[(1, 2)] * lines)
    assert (outline(text) is found) is kept


def test_every_plot_consists_of_pieces_that_are_known(made: Files) -> None:
    for name in made:
        if name.endswith(".svg"):
            assert len(list(pieces.read(made[name])[1])) > 100


def with_number(pattern: bytes, by: float) -> Change:
    """The drawing with the number behind that pattern changed by so much, the first time."""

    def change(svg: bytes) -> bytes:
        number = re.compile(b"(" + pattern + rb")(-?[\d.]+)")
        changed, times = number.subn(lambda f: b"%b%f" % (f[1], float(f[2]) + by), svg, 1)
        assert times == 1
        return changed

    return change


@pytest.mark.parametrize("version", [bytes, another_version])
@pytest.mark.parametrize(
    "change",
    [
        with_number(rb'<rect [^>]*width="', -9),
        with_number(rb'<path id="m[0-9a-f]{10}" d="M \S+ ', 0.3),
        with_number(rb'<path id="DejaVuSans-[0-9a-f]+" d="M \S+ ', 20),
    ],
)
def test_neither_clips_nor_outlines_may_differ(
    made: Files, change: Change, version: Change
) -> None:
    told = compare(made, {**made, GAINS: version(change(made[GAINS]))})
    (line,) = told.wrong + told.unverified
    assert line.startswith(GAINS)
