"""Markdown of the report to HTML: only what the report is written in, and no raw HTML.

The parser knows headings, paragraphs, lists, fences, tables, plots and inline marks. Of
tags it knows the one shape that ``kit.report.tables.fold`` writes; whatever else looks
like a tag is shown as text. So a string that slipped past ``kit.report.text`` could at
worst look wrong here, never act.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from kit.report.page import grid

_SYNTAX = (
    "paragraph", "heading", "list", "fence",
    "emphasis", "backticks", "escape", "entity", "link", "image", "newline",
)  # fmt: skip
_SUMMARY = re.compile(r"<summary>([^<>]*)</summary>")
Env = MutableMapping[str, Any]


def parser() -> MarkdownIt:
    """A parser of the report's own markdown. Its env: ``images`` (address by link)."""
    made = MarkdownIt("zero", {"html": False}).enable(list(_SYNTAX))
    made.block.ruler.before("paragraph", "fold", _fold)
    made.block.ruler.before("paragraph", "grid", _grid)
    rules = made.renderer.rules  # type: ignore[attr-defined]
    rules["fold_open"] = lambda *_: "<details>\n<summary>"
    rules["fold_body"] = lambda *_: "</summary>\n<div>\n"
    rules["fold_close"] = lambda *_: "</div>\n</details>\n"
    rules["image"] = _image
    rules["grid"] = lambda tokens, at, _options, env: grid.html(made, tokens[at].meta, env)
    return made


def words(token: Token) -> str:
    """The text of an inline token or an image, without its marks."""
    return "".join(child.content for child in token.children or ())


def render(made: MarkdownIt, tokens: Sequence[Token], env: Env) -> str:
    """HTML of those tokens."""
    renderer = made.renderer
    assert isinstance(renderer, RendererHTML)
    return renderer.render(tokens, made.options, env)


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] : state.eMarks[number]]


def _fold(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The two lines that open a fold, or the one that closes it, at the start of a line."""
    line = _line(state, start)
    if state.level or line not in {"<details>", "</details>"}:
        return False
    if line == "</details>":
        if not silent:
            state.push("fold_close", "details", 0)
            state.line = start + 1
        return True
    summary = _SUMMARY.fullmatch(_line(state, start + 1)) if start + 1 < end else None
    if summary is None:
        return False
    if not silent:
        # No nesting: blocks inside a fold are the report's own, as at the outer level.
        state.push("fold_open", "details", 0)
        text = state.push("inline", "", 0)
        text.content, text.children, text.map = summary.group(1), [], [start + 1, start + 2]
        state.push("fold_body", "div", 0)
        state.line = start + 2
    return True


def _grid(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A table as ``kit.report.tables.table`` writes it: one token, however many cells.

    A token for every cell takes seconds and hundreds of megabytes on a long session.
    """
    if state.level or start + 1 >= end or not grid.is_rule(_line(state, start + 1)):
        return False
    stop = start
    while stop < end and _line(state, stop).startswith("|"):
        stop += 1
    if stop < start + 2:
        return False
    if not silent:
        token = state.push("grid", "table", 0)
        token.meta = grid.read([_line(state, number) for number in range(start, stop)])
        token.map = [start, stop]
        state.line = stop
    return True


def _image(tokens: Sequence[Token], at: int, _options: Any, env: Env) -> str:
    """A plot, inside the page itself; any other address is not asked for."""
    alt = escapeHtml(words(tokens[at]))
    address = env["images"].get(tokens[at].attrGet("src"))
    return alt if address is None else f'<img alt="{alt}" src="{address}">'
