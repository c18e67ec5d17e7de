"""The rooms of ``kit/``: imports run one way, and the pure ones touch nothing outside."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import kit

ORDER = (
    "errors", "environment", "together", "schemas", "files", "engine", "host", "study", "plan",
    "results", "pins", "images", "measure", "judge", "report", "verify", "app", "cli",
)  # fmt: skip
"""A room imports itself and rooms before it."""
PURE = ("kit.study.model", "kit.plan", "kit.judge", "kit.report")
"""Modules, and rooms with all their modules, that compute and touch nothing."""
OUTSIDE = {
    "ctypes", "docker", "fcntl", "http", "multiprocessing", "os", "platform", "psutil", "pty",
    "pynvml", "requests", "select", "shutil", "signal", "socket", "ssl", "subprocess", "tarfile",
    "tempfile", "termios", "threading", "time", "urllib.request",
}  # fmt: skip
"""Libraries through which code reaches the machine, other processes, the network or the clock."""
TOP = Path(kit.__file__).parent


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
    return module.split(".")[1] if "." in module else "kit"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_run_one_way(module: str) -> None:
    here = room_of(module)
    if here in ("kit", "__main__"):
        return
    known = ORDER[: ORDER.index(here) + 1]
    backwards = [
        name for name in imported(module) if name.startswith("kit.") and room_of(name) not in known
    ]
    assert not backwards


def test_every_room_is_in_the_order() -> None:
    assert {room_of(module) for module in MODULES} - {"kit", "__main__"} == set(ORDER)


@pytest.mark.parametrize(
    "module",
    sorted(m for m in MODULES if any(m == pure or m.startswith(f"{pure}.") for pure in PURE)),
)
def test_pure_modules_reach_nothing_outside(module: str) -> None:
    """Through whatever module of the kit; what a data model needs of one counts too."""
    seen, left, outside = {module}, [module], []
    while left:
        here = left.pop()
        for name in imported(here):
            if name in MODULES and name not in seen:
                seen.add(name)
                left.append(name)
            if name in OUTSIDE or name.split(".")[0] in OUTSIDE:
                outside.append(f"{here} imports {name}")
    assert not outside


READS_ENVIRONMENT = {
    "environ", "environb", "getenv", "expanduser", "expandvars", "home", "get_terminal_size",
}  # fmt: skip


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"kit.environment"}))
def test_one_module_reads_the_environment(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    found = {
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in READS_ENVIRONMENT
        and ast.unparse(node.value) in ("os", "os.path", "shutil", "Path", "pathlib.Path")
    }
    assert not found
    assert not {"platformdirs", "pwd"} & imported(module)


def test_names_of_libraries_are_ones() -> None:
    """A library's name that is misspelt here would never be found."""
    third = {"docker", "psutil", "pynvml", "requests"}
    assert OUTSIDE - third - {"urllib.request"} <= set(sys.stdlib_module_names)
