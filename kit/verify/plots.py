"""The plots, compared by what they show, and the page that shows them."""

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
    """What was found of one plot's file. ``why`` follows its name in a sentence."""

    state: State
    why: str = ""
    alike: bool = False
    """It has other bytes, and shows the same."""


@dataclass(frozen=True)
class Plots:
    """What does not hold, a line each, and the names of those that hold with other bytes."""

    wrong: tuple[str, ...]
    unverified: tuple[str, ...]
    alike: tuple[str, ...]

    @property
    def note(self) -> str:
        """Return what is to be said of those that hold; empty where there is nothing."""
        return f"same within {MOVED:g} pt: {', '.join(self.alike)}" if self.alike else ""


def compare(made: Files, found: Files) -> Plots:
    """Compare the plots that both hold: SVGs with those drawn here, each PNG with its SVG.

    What an SVG names as the version that drew it makes none pass. It only tells a drawing of
    other pieces, which that version may make of the same numbers, from one that was changed.
    """
    plots = [name for name in made if is_picture(name) and name in found]
    told = {name: _drawing(made[name], found[name]) for name in plots if name.endswith(".svg")}
    for name in plots:
        if name.endswith(".png"):
            drawing = f"{name.removesuffix('.png')}.svg"
            known = told.get(drawing, _Compared(State.WRONG))
            held = found if known.state is State.OK else made
            told[name] = _picture(held[drawing], made[name], found[name], known)
    lines = {
        state: tuple(f"{name} {each.why}" for name, each in told.items() if each.state is state)
        for state in (State.WRONG, State.UNVERIFIED)
    }
    alike = tuple(name for name, each in told.items() if each.alike)
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
    """Compare a PNG with its drawing, of which that is known."""
    if made == found or paints(drawing, found):
        return _Compared(State.OK, alike=made != found)
    if known.state is State.UNVERIFIED:
        return _Compared(State.UNVERIFIED, "is not compared, for its SVG is not verified")
    return _Compared(State.WRONG, _CHANGED)


def in_page(made: Files, found: Files) -> Iterator[str]:
    """Yield what is wrong with the plots in the page: each is the folder's own file.

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
        # Drawn otherwise, a plot may pass the size up to which the page holds the SVG.
        if shown not in {
            picture_address(name, here[name]) for name in plots if PurePosixPath(name).stem == plot
        }:
            yield f"{PAGE} shows another picture of {plot} than the folder holds"
