"""Plots of a session, each drawn from the report model only, as SVG and PNG."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kit.report.model import ReportModel

_DRAWN_BY = re.compile(rb"<dc:title>Matplotlib v([\w.+-]{1,40}),")


@dataclass(frozen=True)
class Plot:
    """A drawn plot: its name and title, its SVG and PNG, and ``alt``, its description in words.

    ``figure`` is the matplotlib figure behind them.
    """

    name: str
    title: str
    alt: str
    svg: bytes
    png: bytes
    figure: Any = field(default=None, repr=False, compare=False)


def draw_all(model: ReportModel) -> tuple[Plot, ...]:
    """Return every plot that the session has numbers for, in the report's order."""
    from kit.report.plots import drawings

    return drawings.draw_all(model)


def files(plots: tuple[Plot, ...]) -> Mapping[str, bytes]:
    """Return the SVG and PNG of each plot, by file name in the folder ``PLOTS``."""
    return {
        f"{plot.name}.{kind}": content
        for plot in plots
        for kind, content in (("svg", plot.svg), ("png", plot.png))
    }


def renderer_of(svg: bytes) -> str:
    """Return the version of matplotlib that wrote an SVG drawing; empty if it names none."""
    found = _DRAWN_BY.search(svg)
    return "" if found is None else found[1].decode()
