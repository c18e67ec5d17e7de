"""Reports whose plots are empty: drawing them is most of a report's time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from importlib.metadata import version

from kit.app import pipeline
from kit.report.plots import drawings, looks, style
from kit.verify import reports

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

    def __iter__(self) -> Iterator[_Paper]:
        return iter(())


def undrawn(set_attribute: Callable[[object, str, object], None] = setattr) -> None:
    """Draw nothing: the plots have their names and words, and an empty picture."""
    set_attribute(drawings, "figure", lambda _height: (_Paper(), _Paper()))
    set_attribute(looks, "panels", lambda _height, number: (_Paper(), (_Paper(),) * number))
    set_attribute(drawings, "styled", nullcontext)
    set_attribute(style, "rendered", lambda _figure: (_SVG, _PNG))
    for module in (pipeline, reports):
        set_attribute(module, "load_matplotlib", lambda: None)
