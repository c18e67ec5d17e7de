"""Comparison of the plots by what they show, and of the plots inside the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from kit.report.files import is_picture, picture_address, without_pictures
from kit.report.plots import drawn_by
from kit.report.plots.paths import ForeignError
from kit.results.names import PAGE
from kit.verify.pictures import APART, MOVED, distance, paints
from kit.verify.result import State

Files = Mapping[str, bytes]
_CHANGED = "does not follow from the log"


@dataclass(frozen=True)
class _Compared:
    """The result for one plot's file. ``why`` follows its name in a sentence."""

    state: State
    why: str = ""
    alike: bool = False
    """Whether it has other bytes but shows the same."""


@dataclass(frozen=True)
class Plots:
    """The plots that are wrong or unverified, one line each.

    ``alike`` names those that show the same with other bytes.
    """

    wrong: tuple[str, ...]
    unverified: tuple[str, ...]
    alike: tuple[str, ...]

    @property
    def note(self) -> str:
        """Return a note on the plots that show the same with other bytes; empty for none."""
        return f"same within {MOVED:g} pt: {', '.join(self.alike)}" if self.alike else ""


def compare(made: Files, found: Files) -> Plots:
    """Compare the plots that are in both: SVGs with those drawn here, each PNG with its SVG.

    The version of matplotlib that an SVG names never makes it pass. If the pieces differ and
    the version does too, the plot is unverified instead of wrong: that version may draw the same
    numbers differently.
    """
    plots = [name for name in made if is_picture(name) and name in found]
    checked = {name: _drawing(made[name], found[name]) for name in plots if name.endswith(".svg")}
    for name in plots:
        if name.endswith(".png"):
            drawing = f"{name.removesuffix('.png')}.svg"
            known = checked.get(drawing, _Compared(State.WRONG))
            held = found if known.state is State.OK else made
            checked[name] = _picture(held[drawing], made[name], found[name], known)
    lines = {
        state: tuple(f"{name} {each.why}" for name, each in checked.items() if each.state is state)
        for state in (State.WRONG, State.UNVERIFIED)
    }
    alike = tuple(name for name, each in checked.items() if each.alike)
    return Plots(lines[State.WRONG], lines[State.UNVERIFIED], alike)


def _drawing(made: bytes, found: bytes) -> _Compared:
    """Compare two SVGs."""
    if made == found:
        return _Compared(State.OK)
    try:
        apart = distance(made, found)
    except ForeignError as error:
        return _Compared(State.WRONG, f"holds what no plot of kit holds: {error}")
    here, there = drawn_by(made), drawn_by(found)
    if apart <= MOVED:
        return _Compared(State.OK, alike=True)
    if apart == APART and there not in ("", here):
        why = f"shows other pieces than matplotlib {here} draws here; it names matplotlib {there}"
        return _Compared(State.UNVERIFIED, why)
    return _Compared(State.WRONG, _CHANGED)


def _picture(drawing: bytes, made: bytes, found: bytes, known: _Compared) -> _Compared:
    """Compare a PNG with its drawing, whose result is ``known``."""
    if made == found or paints(drawing, found):
        return _Compared(State.OK, alike=made != found)
    if known.state is State.UNVERIFIED:
        return _Compared(State.UNVERIFIED, "is not compared, for its SVG is not verified")
    return _Compared(State.WRONG, _CHANGED)


def in_page(made: Files, found: Files) -> Iterator[str]:
    """Yield an error for each plot in the page that is not the folder's file of it.

    The page's text is compared elsewhere.
    """
    pictures, wanted = (without_pictures(files[PAGE])[1] for files in (found, made))
    if len(pictures) != len(wanted):
        yield f"{PAGE} does not follow from the log"
        return
    here = {**made, **found}
    plots = [name for name in made if is_picture(name)]
    plot_of = {picture_address(name, made[name]): PurePosixPath(name).stem for name in plots}
    for shown, due in zip(pictures, wanted, strict=True):
        plot = plot_of[due]
        # Drawn differently, a plot may exceed the size up to which the page holds the SVG.
        if shown not in {
            picture_address(name, here[name]) for name in plots if PurePosixPath(name).stem == plot
        }:
            yield f"{PAGE} shows another picture of {plot} than the folder holds"
