"""What the documentation shows: its pages, and the commands on them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECURITY = ROOT / "SECURITY.md"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "tests/README.md")),
    SECURITY,
    *sorted((ROOT / "docs").glob("*.md")),
]


GENERATED = {"cli.md", "formats.md", "errors.md"}


def commands_in(text: str, programs: str) -> list[str]:
    """Commands of those programs in code spans and indented or fenced lines."""
    spans = re.findall(rf"`((?:{programs}) [^`]+)`", text)
    lines = re.findall(rf"^ {{4}}((?:{programs}) .+)$", text, re.MULTILINE)
    found = (" ".join(command.split()) for command in (*spans, *lines))
    return [command for command in found if command.split()[1] != "COMMAND"]


def _on_pages(programs: str) -> list[tuple[str, str]]:
    return [
        (page.name, command)
        for page in PAGES
        if page.name not in GENERATED
        for command in commands_in(page.read_text(), programs)
    ]


SHOWN = _on_pages("kit")
"""The kit's own, by page."""
SHELL = _on_pages("pip|python3?|tar|apt-get|docker|pytest")
"""Those of other programs."""


VENV = "python3 -m venv .venv && . .venv/bin/activate"
TESTS = "pip install '.[test]' && kit setup && pytest"


QUICK = {"PIP_NO_COMPILE": "0"}
"""pip compiles no module: most are never imported. It takes a false value for its --no options."""


@dataclass(frozen=True)
class Script:
    """Lines of another program's, in a new virtual environment, and what shows that they did it."""

    lines: tuple[str, ...]
    shows: str

    def run(self, folder: Path) -> None:
        """Run it there. Raise AssertionError, with the end of what was printed, where it fails."""
        # The wheels of a bundle are those of the interpreter that saved it.
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-ec", "\n".join([VENV, *self.lines, self.shows])],
            cwd=folder, text=True, capture_output=True, check=False,
            env={**os.environ, **QUICK, "PATH": path},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def copy_checkout(folder: Path) -> None:
    """Copy what of this checkout can be installed."""
    for part in ("kit", "images"):
        shutil.copytree(ROOT / part, folder / part)
    for part in ("pyproject.toml", "compose.yaml", "README.md", "LICENSE"):
        shutil.copy(ROOT / part, folder)


GPU = "kit reproduce --gpu"
"""Run by test_gpu_refusal.py, with little of the study that it is shown for."""
CHECKOUT = Script(
    ("pip install .", "kit doctor --help", "pip install '.[gpu]'"), "python -c 'import pynvml, kit'"
)
"""In a copy of the checkout."""
BUNDLE = Script(
    ("tar -xf kit.bundle wheels", "pip install --no-index --find-links wheels kit"),
    "kit bundle load kit.bundle",
)
"""In a folder with a bundle alone."""
BENCHES = ("python tests/bench/run_overhead.py", "python tests/bench/sizes_and_times.py")
# Other tests run bounded parts of these: test_killed.py, test_fuzz.py and tests/environment; that
# the listed faults can be put in is tests/lint/test_faults.py's.
LONG = (
    "python tests/engine/killing.py --count 100 --seed 13",
    "python tests/fuzz/run.py --count 10000 --seed 1",
    "python tests/fuzz/run.py --seed 1 --target log --only 4711",
    "python tests/environment/alone.py NAME",
    "python tests/method/faults/run.py --jobs 2",
    "python tests/method/faults/run.py fixes --name MPLBACKEND",
)

MAKERS = (
    "python -m tests.lint.reference",
    "python tests/lint/rooms.py",
    "python tests/browser/pictures.py FOLDER [RESULTS]",
    "python docs/pictures/terminal.py TYPESCRIPT SVG",
)
"""Of committed files. Tests hold pages to what the first two print; the others draw pictures."""
PARTS = (
    'pytest tests/unit -m "not slow"',
    "pytest tests/unit tests/lint",
    "pytest tests/method",
    "pytest tests/engine",
)
"""Of TESTS."""
