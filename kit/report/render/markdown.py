"""Markdown of a document, readable on GitHub and as plain text.

The only HTML tags are those of folds, which GitHub keeps and plain text reads well with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import tabulate

from kit.report.document import (
    ALT_LIMIT,
    CELL_LIMIT,
    NUMBER,
    PROSE_LIMIT,
    Answer,
    Block,
    Chart,
    Code,
    CodeBlock,
    Command,
    Either,
    Figure,
    Fold,
    Heading,
    Inline,
    Link,
    List,
    Paragraph,
    Replaced,
    Replacements,
    Strong,
    Table,
    Text,
    parts,
)
from kit.report.text import lines, part, plain

# The padding of a table must not depend on whether wcwidth is installed.
tabulate.WIDE_CHARS_MODE = False

_SAFE = re.compile(r"[0-9A-Za-z .,:%+/()-]*")
_ENTITIES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    "|": "&#124;",
    "`": "&#96;",
    "$": "&#36;",  # GitHub reads $...$ as mathematics
}
_ESCAPES = str.maketrans({**_ENTITIES, **{c: f"\\{c}" for c in "\\*[]~"}})
# Inside a word an underscore is plain text to GitHub; escaping it there would
# only make x86_64 unreadable in the plain file.
_OUTER_UNDERSCORE = re.compile(r"(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])")
# Intervals and "<0.001" are not markup, so they stay readable in the plain file.
_INTERVAL = re.compile(rf"\\\[({NUMBER}, {NUMBER})\\\](?![(:\\])")
_BELOW = re.compile(r"&lt;(?=\d)")
_BLOCK_START = re.compile(r"^(?:#|[-+=](?=\s|$|[-=])|\d{1,9}(?=[.)](?:\s|$)))")


def render(blocks: Iterable[Block]) -> str:
    """Return the document as markdown; the same blocks give the same bytes."""
    return _blocks(blocks) + "\n"


def escape(value: str) -> str:
    """Return markdown that shows the clean text ``value``, inside a block but not at its start."""
    if _SAFE.fullmatch(value):
        return value  # most cells of a long table
    escaped = _OUTER_UNDERSCORE.sub(r"\\_", value.translate(_ESCAPES))
    return _BELOW.sub("<", _INTERVAL.sub(r"[\1]", escaped))


def started(markdown: str) -> str:
    """Return a line of markdown so escaped that it begins a paragraph, not a list or heading."""
    start = _BLOCK_START.match(markdown)
    if start is None:
        return markdown
    found = start.group()
    if found.isdigit():  # "1." would start a list
        return f"{found}\\{markdown[len(found) :]}"
    return f"\\{markdown}"


def code(value: str, limit: int = CELL_LIMIT) -> str:
    """Return the value as a markdown code span, or as text if a span could not hold it safely."""
    line = plain(value, limit)
    if not line or any(c in line for c in "`|\\"):
        return escape(line)
    return f"`{line}`"


def fence(value: str) -> str:
    """Return the end of a text as a fenced code block; the fence is longer than any inside."""
    text = lines(value).strip("\n")
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    mark = "`" * max(3, longest + 1)
    return f"{mark}text\n{text}\n{mark}"


def _blocks(blocks: Iterable[Block]) -> str:
    return "\n\n".join(_block(block) for block in blocks if not isinstance(block, Chart))


def _block(block: Block) -> str:
    match block:
        case Heading(level, text):
            written = f"{'#' * level} {_text(text, CELL_LIMIT)}"
        case Paragraph(text):
            written = started(_text(text, PROSE_LIMIT))
        case List(items):
            written = "\n".join(f"- {started(_text(item, PROSE_LIMIT))}" for item in items)
        case Answer(word, sentence, note):
            written = started(_text((word, f" {sentence}"), PROSE_LIMIT))
            written += f"\n\n{started(_text(note, PROSE_LIMIT))}" if note else ""
        case Command(text, purpose):
            written = started(_text(purpose, PROSE_LIMIT)) + "\n\n" if purpose else ""
            written += fence(text)
        case CodeBlock(text):
            written = fence(text)
        case Replacements(label, items):
            rows = "".join(f"\n- {_replaced(item)}" for item in items)
            written = f"{started(_text(label, PROSE_LIMIT))}\n{rows}"
        case Table():
            written = _table(block)
        case Figure(path, alt):
            written = f"![{escape(plain(alt, ALT_LIMIT))}]({path})"
        case Fold(summary, blocks):
            head = f"<summary>{_text(summary, CELL_LIMIT)}</summary>"
            written = f"<details>\n{head}\n\n{_blocks(blocks)}\n\n</details>"
        case Chart():
            raise AssertionError(block)
    return written


def _replaced(item: Replaced) -> str:
    name = Strong(item.name) if item.tone is not None else item.name
    return started(_text((name, f": {item.wanted} → {item.got}"), PROSE_LIMIT))


def _table(table: Table) -> str:
    """Return the rows, and a list of their reasons below them."""
    reasons = [f"- {_text((Strong(name), ': ', *parts(text)), PROSE_LIMIT)}"
               for name, text in table.reasons]  # fmt: skip
    return "\n\n".join(filter(None, (_rows(table), "\n".join(reasons))))


def _rows(table: Table) -> str:
    return tabulate.tabulate(
        [[_text(cell, table.limit) for cell in row] for row in table.rows],
        headers=[_text(name, CELL_LIMIT) for name in table.header],
        tablefmt="github",
        disable_numparse=True,
        colalign=["right" if numeric else "left" for numeric in table.numeric],
    )


def _text(text: Text, limit: int) -> str:
    """Return a line; adjacent strings are escaped together, since markup may span them."""
    written, pending = "", ""
    for inline in parts(text):
        if isinstance(inline, str):
            pending += part(inline, limit)
        else:
            written += _before(escape(pending), inline) + _inline(inline, limit)
            pending = ""
    return (written + escape(pending)).strip()


def _before(markdown: str, inline: Inline) -> str:
    """Return the markdown before a part, without a "!" that would turn a link into an image."""
    if isinstance(inline, Link) and markdown.endswith("!"):
        return f"{markdown[:-1]}\\!"
    return markdown


def _inline(inline: Inline, limit: int) -> str:
    match inline:
        case Strong(text):
            return f"**{escape(plain(text, limit))}**" if plain(text, limit) else ""
        case Code(text):
            return code(text, limit)
        case Link(text, path):
            return f"[{escape(plain(text, limit))}]({path})"
        case Either(text):
            return escape(plain(text, limit))
    raise AssertionError(inline)
