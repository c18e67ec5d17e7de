"""The report as one HTML file: the markdown report's content, no network, no other file.

The text is made from the markdown, in which every string from a container is escaped
already, with raw HTML switched off: only the fold that our own sections write is known.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, MutableMapping, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from kit.report.model import ReportModel
from kit.report.plots import FOLDER, Plot
from kit.report.text import plain

_SUMMARY = re.compile(r"<summary>(.*)</summary>")
_ALIGNED = "style"
_LARGE_SVG = 150_000


def render(model: ReportModel, text: str, plots: Sequence[Plot] = ()) -> str:
    """The page of a markdown report; the same text gives the same page, to the byte."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    # Before all others: none of them may take a fold's line for a paragraph.
    reader.block.ruler.before("table", "fold", _fold)
    tokens = reader.parse(text)
    contents = "".join(_contents(tokens))
    _tables(tokens)
    sources = {f"{FOLDER}/{plot.name}.svg": _data_uri(plot) for plot in plots}
    reader.add_render_rule("image", _image)
    body = reader.renderer.render(tokens, reader.options, {"sources": sources})
    style, script = _file("page.css"), _file("page.js")
    return Template(_file("page.html")).substitute(
        title=escape(plain(model.study.title)),
        contents=contents,
        body=body,
        style=style,
        script=script,
        style_hash=_csp_hash(style),
        script_hash=_csp_hash(script),
    )


def _fold(state: StateBlock, line: int, _end: int, silent: bool) -> bool:
    """The two lines that open a fold, and the one that closes it; nothing else is HTML."""
    text = _line(state, line)
    if text == "</details>":
        if not silent:
            state.push("fold_close", "details", -1)
            state.line = line + 1
        return True
    found = _SUMMARY.fullmatch(_line(state, line + 1)) if text == "<details>" else None
    if found is None:
        return False
    if not silent:
        state.push("fold_open", "details", 1).block = True
        state.push("summary_open", "summary", 1)
        inline = state.push("inline", "", 0)
        inline.content, inline.children = found[1], []
        state.push("summary_close", "summary", -1)
        state.line = line + 2
    return True


def _line(state: StateBlock, line: int) -> str:
    if line >= state.lineMax:
        return ""
    return state.src[state.bMarks[line] : state.eMarks[line]]


def _contents(tokens: Sequence[Token]) -> Iterator[str]:
    """An entry a section; each gets the id that it links to."""
    headings = (i for i, t in enumerate(tokens) if t.type == "heading_open" and t.tag == "h2")
    for number, index in enumerate(headings):
        name = f"section-{number}"
        tokens[index].attrSet("id", name)
        title = "".join(t.content for t in tokens[index + 1].children or ())
        yield f'<li><a href="#{name}">{escape(title)}</a></li>'


def _tables(tokens: list[Token]) -> None:
    """Heads get their scope, aligned cells a class: the page's policy knows no style attribute."""
    for token in tokens:
        if token.type in ("th_open", "td_open"):
            if str(token.attrs.pop(_ALIGNED, "")).endswith("right"):
                token.attrSet("class", "r")
            if token.type == "th_open":
                token.attrSet("scope", "col")
    for index in reversed(range(len(tokens))):
        if tokens[index].type == "table_close":
            tokens.insert(index + 1, Token("scroll_close", "div", -1))
        elif tokens[index].type == "table_open":
            region = Token("scroll_open", "div", 1)
            region.attrs = {
                "class": "scroll",
                "tabindex": "0",
                "role": "group",
                "aria-label": "table",
            }
            tokens.insert(index, region)


def _image(
    _renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    _options: Any,
    env: MutableMapping[str, Any],
) -> str:
    """A plot, inside the page; an image that is none of ours is not shown."""
    token = tokens[index]
    source = env["sources"].get(str(token.attrs.get("src", "")))
    alt = escape("".join(child.content for child in token.children or ()), quote=True)
    return f'<img src="{source}" alt="{alt}">' if source else alt


def _data_uri(plot: Plot) -> str:
    """Drawn sharp at any size; a plot of a thousand runs as pixels, which stay small."""
    if len(plot.svg) <= _LARGE_SVG:
        return f"data:image/svg+xml;base64,{base64.b64encode(plot.svg).decode()}"
    return f"data:image/png;base64,{base64.b64encode(plot.png).decode()}"


def _csp_hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _file(name: str) -> str:
    return (files("kit.report") / "page" / name).read_text(encoding="utf-8").strip()
