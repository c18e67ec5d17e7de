"""The report as one page: the markdown report's own text, and nothing from outside.

Style, script and plots are inside; a Content-Security-Policy lets no other style or
script act and nothing be asked for. The same text and plots give the same page.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from kit.report.plots import FOLDER, Plot

if TYPE_CHECKING:
    from markdown_it.token import Token

PLOT_LIMIT_BYTES = 120_000
"""A larger SVG (one mark a fit of a long session) gives way to the PNG of the same plot."""


def render(text: str, plots: Sequence[Plot] = ()) -> str:
    """The page of a markdown report (``kit.report.markdown.render``) and its plots."""
    from markdown_it.common.utils import escapeHtml

    from kit.report.page import parse

    made = parse.parser()
    env = {"images": {f"{FOLDER}/{plot.name}.svg": _address(plot) for plot in plots}}
    opening, *sections = _split(made.parse(text, env))
    title = next((parse.words(t) for t in opening if t.type == "inline"), "Report")
    body, contents = [], []
    right: set[int] = set()
    taken: set[str] = set()
    for section in sections:
        name = escapeHtml(parse.words(section[1]))
        own = {**env, "title": name, "right": right}
        anchor = _anchor(parse.words(section[1]), taken)
        content = parse.render(made, section[3:], own)
        body.append(
            f'<section aria-labelledby="{anchor}">\n<h2 id="{anchor}">{name}</h2>\n'
            f"{content}</section>\n"
        )
        contents.append(f'<li><a href="#{anchor}">{name}</a></li>\n')
    start = parse.render(made, opening, {**env, "title": "Start", "right": right})
    style = _part("style.css") + _alignment(right)
    script = _part("script.js")
    return Template(_part("page.html")).substitute(
        title=escapeHtml(title),
        policy=_policy(style, script),
        style=style,
        script=script,
        opening=start,
        contents="".join(contents),
        sections="".join(body),
    )


def _split(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """What stands before the first heading of level two, then one part for each."""
    part: list[Token] = []
    for token in tokens:
        if token.type == "heading_open" and token.tag == "h2":
            yield part
            part = []
        part.append(token)
    yield part


def _anchor(title: str, taken: set[str]) -> str:
    """A name for links to the section, its own on this page."""
    stem = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "section"
    names = (stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3)))
    name = next(name for name in names if name not in taken)
    taken.add(name)
    return name


def _address(plot: Plot) -> str:
    kind, content = ("svg+xml", plot.svg)
    if len(plot.svg) > PLOT_LIMIT_BYTES:
        kind, content = ("png", plot.png)
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _alignment(columns: Iterable[int]) -> str:
    """Rules for the columns of numbers; a class on every cell would cost a megabyte."""
    return "".join(
        f".r{n} tr > :nth-child({n}) {{ text-align: right; white-space: nowrap; }}\n"
        for n in sorted(columns)
    )


def _policy(style: str, script: str) -> str:
    """Nothing is loaded, and only this style and this script act."""
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src 'sha256-{_digest(style)}'; script-src 'sha256-{_digest(script)}'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _part(name: str) -> str:
    return (files("kit.report.page") / name).read_text(encoding="utf-8")
