"""The small drawings inside report.html: bars of claims, and the chart of runs."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest

from kit.report.document import Bar, Chart, Dot
from kit.report.render.drawings import bars, chart

BAND = (math.log(1.03), math.log(1.11))


def bar(low: float, value: float, high: float) -> Bar:
    return Bar(value, low, high, BAND)


def shapes(drawing: str) -> dict[str, ElementTree.Element]:
    return {shape.attrib["class"]: shape for shape in ElementTree.fromstring(drawing)}


def ends(drawing: str) -> tuple[float, float, float]:
    """Return where the interval begins and ends, and where there is no difference."""
    found = shapes(drawing)
    first, last = map(float, re.findall(r"-?[\d.]+(?=[H ]|$)", found["interval"].attrib["d"])[::2])
    return first, last, float(found["zero"].attrib["d"][1:].split()[0])


def test_all_bars_of_a_table_share_one_scale() -> None:
    first, second = bars([bar(0.05, 0.06, 0.07), bar(-0.3, -0.25, -0.2)])
    low, high, zero = ends(first)
    assert zero < low < high
    assert ends(second)[2] == zero
    assert ends(second)[0] < ends(second)[1] < zero


def test_a_claim_without_a_number_has_no_bar_and_one_without_an_interval_no_line() -> None:
    nothing, wide = bars([None, Bar(None, None, None, BAND)])
    assert nothing == ""
    assert set(shapes(wide)) == {"band", "zero"}


@pytest.mark.parametrize("low, high", [(-700.0, 700.0), (0.06, 0.06)])
def test_an_interval_of_any_width_stays_inside_and_leaves_the_band_visible(low, high) -> None:
    (drawing,) = bars([bar(low, 0.06, high)])
    width = float(ElementTree.fromstring(drawing).attrib["width"])
    first, last, zero = ends(drawing)
    assert 0 <= first <= last <= width and 0 <= zero <= width
    assert float(shapes(drawing)["band"].attrib["width"]) >= 5


def dots(*seconds: float) -> Chart:
    return Chart("t", ("a",), tuple(Dot(0, n, s, f"run {n}") for n, s in enumerate(seconds, 1)))


@pytest.mark.parametrize(
    "seconds, ticks",
    [
        ((1.93, 2.02, 2.31), ["1.9 s", "2.0 s", "2.1 s", "2.2 s", "2.3 s", "2.4 s"]),
        ((2.0,), ["2.000 s", "2.005 s"]),
        ((130.0, 900.0), ["0 s", "200 s", "400 s", "600 s", "800 s", "1000 s"]),
    ],
)
def test_the_scale_of_seconds_has_round_numbers(seconds, ticks) -> None:
    drawn = ElementTree.fromstring(chart(dots(*seconds)))
    assert [text.text for text in drawn.iter("text")][:-2] == ticks


@pytest.mark.parametrize("seconds", [(1e-9, 1e308), (0.001, 0.001, 0.001), tuple([1.5] * 1000)])
def test_every_run_is_inside_the_chart(seconds) -> None:
    drawn = ElementTree.fromstring(chart(dots(*seconds)))
    _, _, width, height = map(float, drawn.attrib["viewBox"].split())
    places = [re.findall(r"[\d.]+", run.attrib["transform"]) for run in drawn.iter("path")
              if "transform" in run.attrib]  # fmt: skip
    assert len(places) == len(seconds)
    assert all(0 < float(x) < width and 0 < float(y) < height for x, y in places)
