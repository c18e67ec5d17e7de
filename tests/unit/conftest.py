"""Unit tests: plots are drawn only where a test looks at them, and the same reports made once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from importlib.metadata import version

import pytest
from support.once import Once

from kit.app import pipeline
from kit.report import files, model
from kit.report.plots import drawings
from kit.verify import pictures, plots, reports

_SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg"><metadata>'
    b"<dc:title>Matplotlib v" + version("matplotlib").encode() + b", https://matplotlib.org/"
    b"</dc:title></metadata></svg>\n"
)
_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63"
    "fcffff3f0300050001ffa2a5bd5b0000000049454e44ae426082"
)


class _Paper:
    """A figure, its axes and whatever they have, on which nothing is drawn."""

    def __getattr__(self, _name: str) -> _Paper:
        return self

    def __call__(self, *_given: object, **_named: object) -> _Paper:
        return self


_draw_all = Once(drawings.draw_all)
_build_report = Once(model.build_report)
_explain = Once(reports.explain)
_distance, _paints = Once(pictures.distance), Once(pictures.paints)
_report_files = {drawn: Once(files.report_files) for drawn in (True, False)}
"""By whether plots are drawn."""


def _undrawn(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(drawings, "figure", lambda _height: (_Paper(), _Paper()))
    patch.setattr(drawings, "styled", nullcontext)
    patch.setattr(drawings, "rendered", lambda _figure: (_SVG, _PNG))


def _made_once(patch: pytest.MonkeyPatch, drawn: bool) -> None:
    for module in (pipeline, reports):
        patch.setattr(module, "report_files", _report_files[drawn])
    for module in (pipeline, reports, model):
        patch.setattr(module, "build_report", _build_report)
    patch.setattr(reports, "explain", _explain)
    patch.setattr(plots, "distance", _distance)
    patch.setattr(plots, "paints", _paints)


@pytest.fixture(scope="module", autouse=True)
def drawn(request: pytest.FixtureRequest) -> Iterator[None]:
    """Replace plots, whose drawing is most of a report's time, by empty ones.

    Modules marked ``drawn`` have real ones, the same session's once. In modules marked
    ``made_once``, which look at folders and not at how reports come about, the same log's
    reports are made once too.
    """
    real = "drawn" in request.keywords
    with pytest.MonkeyPatch.context() as patch:
        if real:
            patch.setattr(drawings, "draw_all", _draw_all)
        else:
            _undrawn(patch)
        if "made_once" in request.keywords:
            _made_once(patch, real)
        yield


@pytest.fixture
def made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports really made, in a module marked ``made_once``, for a test that changes how."""
    for module in (pipeline, reports, model):
        monkeypatch.setattr(module, "build_report", _build_report.function)
    for module in (pipeline, reports):
        monkeypatch.setattr(module, "report_files", files.report_files)
