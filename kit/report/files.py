"""The files of a report, by name."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

from kit.report import crate, export, plots, results_json, sections
from kit.report.model import ReportModel
from kit.report.render import html, markdown
from kit.results import CRATE, EXPORTS, PAGE, PLOTS, REPORT, RESULTS, SUMS

_PICTURE = re.compile(rb'src="(data:image/[a-z+]+;base64,[0-9A-Za-z+/=]*)(?=")')


def report_files(model: ReportModel) -> Mapping[str, bytes]:
    """Return the content of every file of the report, by its path in the results folder."""
    drawn = plots.draw_all(model)
    document = sections.report(model, drawn)
    files = {
        REPORT: markdown.render(document).encode(),
        PAGE: html.render(document).encode(),
        RESULTS: results_json.dumps(model).encode(),
        **{f"{PLOTS}/{name}": data for name, data in plots.files(drawn).items()},
        **{f"{EXPORTS}/{name}": data for name, data in export.render_all(model).items()},
    }
    return {**files, CRATE: crate.render(model, (*files, SUMS))}


def is_picture(name: str) -> bool:
    """Return whether that path in the results folder is of a plot (an SVG or PNG of kit).

    The bytes of a plot depend on the version of the drawing library.
    """
    return name.startswith(f"{PLOTS}/")


def without_pictures(page: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """Return the report's HTML page without its embedded plots, and their ``src`` data URLs."""
    return _PICTURE.sub(b'src="', page), tuple(_PICTURE.findall(page))


def picture_address(name: str, content: bytes) -> bytes:
    """Return the data URL by which the HTML page embeds a plot's file of that name and content."""
    kind = b"svg+xml" if name.endswith(".svg") else b"png"
    return b"data:image/" + kind + b";base64," + base64.b64encode(content)
