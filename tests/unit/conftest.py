"""Unit tests: plots are drawn only where a test looks at them, and the same plots once."""

from __future__ import annotations

import pickle
from importlib.metadata import version

import pytest

from kit.report.model import ReportModel
from kit.report.plots import Plot, drawings

_SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg"><metadata>'
    b"<dc:title>Matplotlib v" + version("matplotlib").encode() + b", https://matplotlib.org/"
    b"</dc:title></metadata></svg>\n"
)
_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63"
    "fcffff3f0300050001ffa2a5bd5b0000000049454e44ae426082"
)

_drawn: dict[bytes, tuple[Plot, ...]] = {}
_draw_all = drawings.draw_all


def _once(model: ReportModel) -> tuple[Plot, ...]:
    key = pickle.dumps(model)
    if key not in _drawn:
        _drawn[key] = _draw_all(model)
    return _drawn[key]


@pytest.fixture(autouse=True)
def drawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace plots, whose drawing is most of a report's time, by empty ones.

    Tests, or modules, marked ``drawn`` have real ones.
    """
    if "drawn" in request.keywords:
        monkeypatch.setattr(drawings, "draw_all", _once)
    else:
        monkeypatch.setattr(drawings, "rendered", lambda _figure: (_SVG, _PNG))
