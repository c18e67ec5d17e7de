"""The plots, whose bytes differ with the drawing library, and the page that shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from kit.report.files import is_picture, picture_address, without_pictures
from kit.report.plots import drawn_by
from kit.results.names import PAGE
from kit.verify.numbers import drawn_alike

Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Plots:
    """The plots that differ: those that another drawing library explains, and the others."""

    explained: tuple[str, ...]
    wrong: tuple[str, ...]
    by: str = ""
    """The version that drew the folder's plots, where it is not the one here."""

    @property
    def note(self) -> str:
        """What is to be said of the explained ones; empty where there is none."""
        if not self.explained:
            return ""
        names = ", ".join(self.explained)
        if self.by:
            return f"not compared, for matplotlib {self.by} drew them: {names}"
        return f"otherwise drawn by the drawing library here: {names}"


def compare(made: Files, found: Files) -> Plots:
    """Compare the plots that both hold.

    Another version may draw any of them differently, and the folder's SVGs name it. The same
    version, built with other libraries (of fonts, of packing), draws all of them differently,
    or all PNGs.
    """
    plots = [name for name in made if is_picture(name) and name in found]
    same = [name for name in plots if _alike(name, made[name], found[name])]
    other = [name for name in plots if name not in same]
    here, there = (_versions(files, plots) for files in (made, found))
    if len(there) == 1 and there != here and "" not in there:
        return Plots(tuple(other), (), *there)
    explained = other
    if same:
        explained = [name for name in other if name.endswith(".png")]
    if any(name.endswith(".png") for name in same):
        explained = []
    return Plots(tuple(explained), tuple(name for name in other if name not in explained))


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


def _alike(name: str, made: bytes, found: bytes) -> bool:
    return made == found or (name.endswith(".svg") and drawn_alike(made, found))


def _versions(files: Files, plots: list[str]) -> set[str]:
    return {drawn_by(files[name]) for name in plots if name.endswith(".svg")}
