"""A document as one HTML page that loads nothing.

The template escapes every string. Style, script and plots are inside the page; its
Content-Security-Policy blocks every other style or script and all requests. The same
blocks give the same page.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from itertools import count, repeat

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from kit.report.document import (
    ALT_LIMIT,
    CELL_LIMIT,
    PROSE_LIMIT,
    Block,
    Code,
    Either,
    Figure,
    Fold,
    Heading,
    Link,
    Paragraph,
    Strong,
    Table,
    Text,
    parts,
)
from kit.report.render.drawings import bars, chart, key, shape
from kit.report.text import lines, part, plain

PLOT_LIMIT_BYTES = 120_000
"""The page shows a larger SVG (one mark per sample of a long session) as PNG."""
_WIDE = 10
"""A table of more columns is set smaller on paper."""
_SHORT = 24
"""Names of rows up to this length stay on one line."""
_FIGURE = 12
"""So do numbers up to this length; a column of intervals would take the width of the reasons."""


@dataclass(frozen=True)
class _Section:
    """A section of the page. ``number`` counts its tables and plots, for their labels."""

    title: str
    anchor: str
    blocks: Sequence[Block]
    folded: bool
    number: Callable[[], int]


@dataclass(frozen=True)
class _Layout:
    """The layout of a table: its classes, and whether its first column names the rows."""

    classes: str
    named: bool


def render(blocks: Iterable[Block]) -> str:
    """Return one HTML page that shows the document, which begins with its title."""
    opening, *sections = _sections(blocks)
    style, script = _asset("style.css"), _asset("script.js")
    # Rules for the columns of numbers; a class on every cell would cost a megabyte.
    style += "".join(
        f".r{n} tr > :nth-child({n}) {{ text-align: right; white-space: nowrap; }}\n"
        for n in range(1, 1 + max(map(_columns, (opening, *sections))))
    )
    return _environment().get_template("page.html").render(
        title=plain(opening.title),
        policy=Markup(_policy(style, script)),
        style=Markup(style),
        script=Markup(script),
        opening=opening,
        sections=sections,
    ) + "\n"  # fmt: skip


def _sections(blocks: Iterable[Block]) -> Iterator[_Section]:
    """Yield the blocks before the first heading of level two, then one section per heading."""
    anchors = set[str]()
    title, anchor, folded = "Report", "", False
    found: list[Block] = []
    for block in blocks:
        if isinstance(block, Heading) and block.level == 1:
            title = block.text
        if isinstance(block, Heading) and block.level == 2:
            yield _Section(title, anchor, _opened(found), folded, partial(next, count(1)))
            title, anchor, folded = block.text, _anchor(block.text, anchors), block.folded
            found = []
        else:
            found.append(block)
    yield _Section(title, anchor, _opened(found), folded, partial(next, count(1)))


def _opened(blocks: Sequence[Block]) -> Sequence[Block]:
    """Return the content of a section, which would be folded twice if it is one fold."""
    match blocks:
        case [Fold(summary, inside)]:
            return (Paragraph(summary), *inside)
    return blocks


def _anchor(title: str, taken: set[str]) -> str:
    """Return a name for links to the section, unique on the page."""
    stem = re.sub(r"[^a-z0-9]+", "-", plain(title).lower()).strip("-") or "section"
    names = (stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3)))
    name = next(name for name in names if name not in taken)
    taken.add(name)
    return name


def _columns(section: _Section) -> int:
    return max((len(b.header) for b in _tables(section.blocks)), default=0)


def _tables(blocks: Iterable[Block]) -> Iterator[Table]:
    for block in blocks:
        if isinstance(block, Table):
            yield block
        yield from _tables(getattr(block, "blocks", ()))


@cache
def _environment() -> Environment:
    made = Environment(
        autoescape=True,
        loader=PackageLoader("kit.report.render", "page"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        kind=lambda block: type(block).__name__,
        cell=lambda text, limit=CELL_LIMIT: _inline(text, limit),
        prose=lambda text: _inline(text, PROSE_LIMIT),
        alt=lambda text: plain(text, ALT_LIMIT),
        lines=lambda text: lines(text).strip("\n"),
        layout=_layout,
        rows=_rows,
        tone=lambda found: found.tone.value if found.tone is not None else "",
        address=_address,
        drawn=chart,
        shape=shape,
        key=key,
    )
    return made


def _inline(text: Text, limit: int) -> Markup:
    """Return a text as HTML, its strings escaped and its parts in tags."""
    if isinstance(text, str):
        return _escaped(plain(text, limit))
    found = Markup().join(_part(inline, limit) for inline in parts(text))
    return Markup(found.strip())


@lru_cache(maxsize=10_000)
def _escaped(text: str) -> Markup:
    return escape(text)


def _part(inline: Text, limit: int) -> Markup:
    match inline:
        case str():
            return escape(part(inline, limit))
        case Strong(text, tone):
            name = f' class="{tone.value}"' if tone is not None else ""
            return Markup("<strong{}>{}</strong>").format(Markup(name), plain(text, limit))
        case Code(text):
            return Markup("<code>{}</code>").format(plain(text, limit))
        case Either(text, gain, factor):
            spans = "".join(
                f'<span class="{name}{" own" if shown == text else ""}">'
                f"{escape(plain(shown, limit))}</span>"
                for name, shown in (("gain", gain), ("factor", factor))
            )
            return Markup(spans)
        case Link(text, path):
            return Markup('<a href="{}">{}</a>').format(path, plain(text, limit))
    raise AssertionError(inline)


def _layout(table: Table) -> _Layout:
    names = [row[0] for row in table.rows]
    short = not table.reasons and all(
        len(plain(name)) <= _SHORT for name in names if isinstance(name, str)
    )
    classes = ["grid"]
    classes += ["wide"] if len(table.header) > _WIDE else []
    classes += ["short"] if short else []
    classes += ["drawn"] if table.bars else []
    columns = zip(table.numeric, zip(*table.rows, strict=True), strict=False)
    classes += [
        f"r{n}"
        for n, (numeric, cells) in enumerate(columns, start=1)
        if numeric
        and all(
            len(cell if isinstance(cell, str) else cell.text) <= _FIGURE
            for cell in cells
            if isinstance(cell, (str, Either))
        )
    ]
    # A first column without repetition names the rows, as ids and arms do.
    named = len(set(names)) == len(names) and "" not in names
    return _Layout(" ".join(classes), named)


def _rows(table: Table, named: bool) -> Markup:
    """Return the rows; for a long session a template takes four times as long.

    HTML does not need the end tags of cells, which would be a quarter of such a page; those of
    rows keep the line's end out of the last cell.
    """
    first = '<th scope="row">' if named else "<td>"
    ends = [f'<td class="drawing">{drawing}' for drawing in bars(table.bars)]
    return Markup(
        "".join(
            f"<tr>{first}{row}{end}</tr>\n"
            for row, end in zip(_cells(table), ends or repeat(""), strict=False)
        )
    )


def _cells(table: Table) -> Iterator[str]:
    """Yield the cells of each row; where rows have reasons, the first cell opens for them."""
    for number, row in enumerate(table.rows):
        cells = [_inline(cell, table.limit) for cell in row]
        if table.reasons:
            opened = Markup("<details><summary>{}</summary><p>{}</p></details>")
            cells[0] = opened.format(cells[0], _inline(table.reasons[number][1], PROSE_LIMIT))
        yield "<td>".join(cells)


def _address(figure: Figure) -> str:
    kind, content = "svg+xml", figure.svg
    if len(figure.svg) > PLOT_LIMIT_BYTES:
        kind, content = "png", figure.png
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _policy(style: str, script: str) -> str:
    """Return the policy that allows only this style, this script and images inside the page."""
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src 'sha256-{_digest(style)}'; script-src 'sha256-{_digest(script)}'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _asset(name: str) -> str:
    loader = _environment().loader
    assert loader is not None
    return loader.get_source(_environment(), name)[0]
