"""The rooms of ``kit/`` and what each imports, read from its modules.

    python tests/lint/rooms.py > docs/rooms.md

draws them anew; a test holds the page to it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

TOP = Path(__file__).parents[2] / "kit"
ORDER = (
    "errors", "environment", "together", "schemas", "files", "study", "plan", "records", "engine",
    "host", "results", "pins", "images", "measure", "judge", "report", "verify", "app", "cli",
)  # fmt: skip
"""A room imports itself and rooms before it."""


def modules() -> dict[str, Path]:
    """Return every module of the kit by its name."""
    found = {}
    for path in TOP.rglob("*.py"):
        parts = ("kit", *path.relative_to(TOP).with_suffix("").parts)
        # Programs that run in images: an installed kit holds their recipes.
        if not {"template", "recipes"} & set(parts):
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


MODULES = modules()


@cache
def imported(module: str) -> frozenset[str]:
    """Return what a module imports, anywhere in it, but for type checkers alone."""
    return frozenset(_imports(ast.parse(MODULES[module].read_text(encoding="utf-8"))))


def _imports(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            whole = [f"{child.module}.{alias.name}" for alias in child.names]
            inside = [name for name in whole if name in MODULES]
            yield from inside or [child.module]
        yield from _imports(child)


def room_of(module: str) -> str:
    """Return the room of a module of the kit."""
    return module.split(".")[1] if "." in module else "kit"


def page() -> str:
    """Return the page of the rooms: a picture, then each with its sentence and its imports."""
    uses = {room: _used(room) for room in ORDER}
    arrows = [
        f"    {room} --> {other}"
        for room in reversed(ORDER)
        for other in reversed(ORDER)
        if other in _direct(uses, room)
    ]
    used = {room: ", ".join(sorted(uses[room], key=ORDER.index)) or "-" for room in ORDER}
    rows = [f"| `{room}` | {_sentence(room)} | {used[room]} |" for room in ORDER]
    lines = [
        "# The rooms of `kit/`",
        "",
        "Made by `python tests/lint/rooms.py`. A room imports itself and rooms above it in the",
        "table; an arrow that follows from two others is not drawn.",
        "",
        "```mermaid",
        "graph TD",
        *arrows,
        "```",
        "",
        "| room | what it is | imports |",
        "|---|---|---|",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def _used(room: str) -> set[str]:
    """The other rooms that a room's modules import."""
    own = [module for module in MODULES if room_of(module) == room]
    names = {name for module in own for name in imported(module) if name.startswith("kit.")}
    return {room_of(name) for name in names} & set(ORDER) - {room}


def _direct(uses: Mapping[str, set[str]], room: str) -> set[str]:
    """Those that it reaches in no other way."""
    return {
        other
        for other in uses[room]
        if not any(other in _reached(uses, between) for between in uses[room] - {other})
    }


def _reached(uses: Mapping[str, set[str]], room: str) -> set[str]:
    return set(uses[room]).union(*(_reached(uses, other) for other in uses[room]))


def _sentence(room: str) -> str:
    """The first line of the room's own docstring."""
    text = ast.get_docstring(ast.parse(MODULES[f"kit.{room}"].read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


if __name__ == "__main__":
    print(page(), end="")
