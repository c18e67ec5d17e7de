"""The visible pieces of a drawing (SVG) that need not come from kit.

This module knows only the elements of kit's plots: paths, uses of paths (glyphs and markers),
groups, one kind of clip and one style sheet. Everything else could show something that is not
compared, so it rejects a drawing with another element or attribute, text, a script,
an image, a style rule, a reference outside the file, an entity, or another encoding.

Ids, comments and the metadata (where matplotlib names its version) are not visible and not
compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat

from kit.report.plots.paths import (
    STILL,
    ForeignError,
    Matrix,
    Outline,
    after,
    matrix,
    number,
    outline,
)

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_UNSEEN = (
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "http://creativecommons.org/ns#",
    "http://purl.org/dc/elements/1.1/",
)
"""Name spaces of metadata: a browser draws and runs nothing of them."""
_DOCTYPE = ("svg", "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd", "-//W3C//DTD SVG 1.1//EN", 0)
_SHEET = "*{stroke-linejoin: round; stroke-linecap: butt}"
_ENTITY = re.compile(rb"&(?!(?:amp|lt|gt);)")
"""Expat skips entities that another file may declare; a browser does not."""
_ATTRIBUTES = {
    "svg": {"width", "height", "viewBox", "version"},
    "metadata": set[str](),
    "defs": set[str](),
    "style": {"type"},
    "g": {"id", "style", "transform", "clip-path"},
    "path": {"id", "d", "style", "transform", "clip-path"},
    "use": {"href", "x", "y", "style", "transform"},
    "clipPath": {"id"},
    "rect": {"x", "y", "width", "height"},
}
_INSIDE = {
    "": {"svg"},
    "svg": {"metadata", "defs", "g"},
    "g": {"g", "path", "use", "defs"},
    "defs": {"path", "style", "clipPath"},
    "clipPath": {"rect"},
}
_PROPERTIES = {
    "fill", "fill-opacity", "fill-rule", "opacity", "stroke", "stroke-dasharray",
    "stroke-dashoffset", "stroke-linecap", "stroke-linejoin", "stroke-miterlimit",
    "stroke-opacity", "stroke-width",
}  # fmt: skip
_DEEPEST = 40

Style = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Piece:
    """One path of an SVG drawing as it is shown, transformed by the matrix ``at``.

    ``styles`` and ``clips`` (x, y, width, height) are those of every element around it too.
    """

    outline: Outline
    at: Matrix
    placed: bool
    """Whether it is a glyph or a marker: a defined outline that is used at this position."""
    styles: tuple[Style, ...]
    clips: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class _Element:
    name: str
    given: Mapping[str, str]
    inside: list[_Element] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


def read(drawing: bytes) -> tuple[tuple[str, ...], Iterator[Piece]]:
    """Parse an SVG drawing; return its size, and the paths it shows from back to front.

    The size is the root element's width, height, viewBox and version, as text. Raise ForeignError
    for anything that kit does not draw: for an unknown use, path or style only when the iterator
    reaches it.
    """
    root = _parsed(drawing)
    size = tuple(root.given.get(key, "") for key in ("width", "height", "viewBox", "version"))
    return size, _pieces(root)


def _parsed(drawing: bytes) -> _Element:
    """Return the root element. Raise ForeignError for anything unknown in it."""
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    around: list[_Element] = [_Element("", {})]
    ids: set[str] = set()
    if _ENTITY.search(drawing):
        raise ForeignError("an entity")

    def begin(name: str, given: dict[str, str]) -> None:
        space, _, short = name.rpartition(" ")
        if space in _UNSEEN and around[-1].name in ("metadata", "unseen"):
            known = all(key.startswith(_UNSEEN) for key in given)
            element = _Element("unseen", {})
        else:
            own = {_own(key): value for key, value in given.items()}
            known = space == _SVG and short in _INSIDE.get(around[-1].name, ())
            # Other white space than ASCII's would end a path in a browser and not here.
            known = (
                known and own.keys() <= _ATTRIBUTES[short] and all(map(str.isascii, own.values()))
            )
            known = known and own.get("id") not in ids
            ids.update({own["id"]} if "id" in own else ())
            element = _Element(short, own)
        if not known or len(around) > _DEEPEST:
            raise ForeignError(f"<{short}> with {', '.join(given) or 'no attributes'}")
        around[-1].inside.append(element)
        around.append(element)

    def words(text: str) -> None:
        if text.strip() and around[-1].name not in ("unseen", "style"):
            raise ForeignError(f"text in <{around[-1].name}>")
        around[-1].text.append(text)

    def kind(*declared: object) -> None:
        if declared != _DOCTYPE:
            raise ForeignError("another document type")

    def declared(version: str, encoding: str | None, _alone: int) -> None:
        if (version, (encoding or "utf-8").lower()) != ("1.0", "utf-8"):
            raise ForeignError(f"XML {version} in {encoding}")

    parser.StartElementHandler = begin
    parser.EndElementHandler = lambda _name: around.pop()
    parser.CharacterDataHandler = words
    parser.StartDoctypeDeclHandler = kind
    parser.XmlDeclHandler = declared
    parser.ProcessingInstructionHandler = lambda target, _data: _refuse(f"<?{target}?>")
    try:
        parser.Parse(drawing, True)
    except expat.ExpatError as error:
        raise ForeignError(f"no XML: {error}") from None
    return around[0].inside[0]


def _own(key: str) -> str:
    """Return the name of an attribute; in SVG 1.1 only XLink's href is a reference."""
    return "href" if key == f"{_XLINK} href" else f" {key}" if key == "href" else key


def _refuse(what: str) -> NoReturn:
    raise ForeignError(what)


def _pieces(root: _Element) -> Iterator[Piece]:
    """Yield the pieces of the root element, from back to front."""
    defined: dict[str, _Element] = {}
    sheets: list[tuple[str | None, str]] = []
    for element in _defined(root):
        if element.name == "style":
            sheets.append((element.given.get("type"), "".join(element.text)))
        else:
            defined[element.given.get("id", "")] = element
    if sheets != [("text/css", _SHEET)]:
        raise ForeignError("another style sheet")
    outlines: dict[str, Outline] = {}

    def shown(
        element: _Element,
        at: Matrix,
        styles: tuple[Style, ...],
        clips: tuple[tuple[float, ...], ...],
    ) -> Iterator[Piece]:
        given = element.given
        at = after(at, matrix(given.get("transform", "")))
        if "style" in given:
            styles = (*styles, _style(given["style"]))
        if "clip-path" in given:
            clips = (*clips, _clip(given["clip-path"], defined, at))
        if element.name == "path":
            yield Piece(outline(given.get("d", "")), at, False, styles, clips)
        elif element.name == "use":
            key = given.get("href", "")
            target = defined.get(key[1:]) if key.startswith("#") else None
            if target is None or target.name != "path":
                raise ForeignError(f"a use of {key!r}")
            if "clip-path" in target.given:
                raise ForeignError("a clip in a definition")
            if key not in outlines:
                outlines[key] = outline(target.given.get("d", ""))
            offset = number(given.get("x", "0")), number(given.get("y", "0"))
            at = after(at, (1, 0, 0, 1, *offset))
            at = after(at, matrix(target.given.get("transform", "")))
            if "style" in target.given:
                styles = (*styles, _style(target.given["style"]))
            yield Piece(outlines[key], at, True, styles, clips)
        elif element.name in ("svg", "g"):
            for inner in element.inside:
                yield from shown(inner, at, styles, clips)

    yield from shown(root, STILL, (), ())


def _defined(element: _Element) -> Iterator[_Element]:
    """Yield the elements inside definitions."""
    for inner in element.inside:
        if element.name == "defs":
            yield inner
        else:
            yield from _defined(inner)


def _clip(
    reference: str, defined: Mapping[str, _Element], at: Matrix
) -> tuple[float, float, float, float]:
    found = re.fullmatch(r"url\(#(\w+)\)", reference)
    target = defined.get(found[1]) if found else None
    inside = target.inside if target is not None and target.name == "clipPath" else []
    if [each.name for each in inside] != ["rect"] or at != STILL:
        raise ForeignError(f"a clip {reference!r}")
    given = inside[0].given
    x, y, width, height = (number(given.get(key, "")) for key in ("x", "y", "width", "height"))
    return x, y, width, height


def _style(text: str) -> Style:
    """Return the properties, sorted by name."""
    pairs = [part.partition(":") for part in text.split(";") if part.strip()]
    style = [(key.strip(), value.strip()) for key, _, value in pairs]
    if len(dict(style)) != len(style) or not {key for key, _ in style} <= _PROPERTIES:
        raise ForeignError(f"a style {text!r}")
    return tuple(sorted(style))
