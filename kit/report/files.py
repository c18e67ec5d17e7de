"""The files of a report, by name, and the sums of everything in its folder."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from kit.files import write_whole
from kit.report import crate, formats, html, markdown, plots, results_json
from kit.report.model import ReportModel

REPORT, PAGE, RESULTS = "report.md", "report.html", "results.json"
FORMATS = "formats"
"""The folder of the files for other tools."""
SUMS = "SHA256SUMS"
_PICTURE = re.compile(rb"data:image/[a-z+]+;base64,[0-9A-Za-z+/=]*")


def report_files(model: ReportModel) -> Mapping[str, bytes]:
    """Every file of the report, by its path in the folder; from the model alone."""
    drawn = plots.draw_all(model)
    text = markdown.render(model, drawn)
    files = {
        REPORT: text.encode(),
        PAGE: html.render(text, drawn).encode(),
        RESULTS: results_json.dumps(model).encode(),
        **{f"{plots.FOLDER}/{name}": data for name, data in plots.files(drawn).items()},
        **{f"{FORMATS}/{name}": data for name, data in formats.render_all(model).items()},
    }
    return {**files, crate.NAME: crate.render(model, (*files, SUMS))}


def is_picture(name: str) -> bool:
    """Whether it is a plot: another version of the drawing library gives it other bytes."""
    return name.startswith(f"{plots.FOLDER}/")


def without_pictures(content: bytes) -> bytes:
    """A page's bytes, each plot inside it taken out."""
    return _PICTURE.sub(b"", content)


def add_sums(folder: Path, made: Mapping[str, bytes]) -> None:
    """Enter files that were made later, and leave the sums of all others as they were.

    To sum everything anew would hide what was changed in the meantime.
    """
    path = folder / SUMS
    if not path.is_file():
        return
    lines = path.read_text(errors="replace").splitlines()
    kept = [line for line in lines if line.partition("  ")[2] not in made]
    kept += [f"{hashlib.sha256(data).hexdigest()}  {name}" for name, data in made.items()]
    ordered = sorted(kept, key=lambda line: line.partition("  ")[2])
    write_whole(path, "".join(f"{line}\n" for line in ordered).encode())


def sums_of(folder: Path) -> str:
    """The folder's files with their SHA-256, as `sha256sum -c` reads them."""
    lines = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != SUMS and not name.endswith(".part"):
            lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n")
    return "".join(lines)
