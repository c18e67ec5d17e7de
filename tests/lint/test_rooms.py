"""The rooms of ``kit/``: imports run one way, and the pure ones touch nothing outside."""

from __future__ import annotations

import ast
import sys

import pytest
from lint.rooms import MODULES, ORDER, TOP, imported, page, room_of

PURE = ("kit.study.model", "kit.plan", "kit.records", "kit.judge", "kit.report")
"""Modules, and rooms with all their modules, that compute and touch nothing."""
OUTSIDE = {
    "ctypes", "docker", "fcntl", "http", "multiprocessing", "os", "platform", "psutil", "pty",
    "pynvml", "requests", "select", "shutil", "signal", "socket", "ssl", "subprocess", "tarfile",
    "tempfile", "termios", "threading", "time", "urllib.request",
}  # fmt: skip
"""Libraries through which code reaches the machine, other processes, the network or the clock."""


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


def test_the_page_of_the_rooms_is_drawn_from_the_imports() -> None:
    drawn = (TOP.parent / "docs" / "rooms.md").read_text(encoding="utf-8")
    assert drawn == page(), "python tests/lint/rooms.py > docs/rooms.md"
