"""`kit verify` calls a golden folder honest on every other CPython of the machine.

Each gets an environment of its own with the kit and its newest dependencies; one more, with
this Python, gets the oldest libraries that the kit takes, and one an older matplotlib.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from golden.archive import GOLDEN, opened

from kit.host.network import pip_index

ROOT = Path(__file__).resolve().parents[2]
MIN_PYTHON = (3, 10)
OLD_LIBRARIES = {
    "3.8": ("matplotlib==3.8.*", "numpy<2", "scipy==1.15.*"),
    "3.9": ("matplotlib==3.9.*",),
}
"""By matplotlib, whose layout and letters are its own in each of these."""
HERE = sys.version_info[:2]
ASK = "import sys; print(sys.implementation.name, *sys.version_info[:2])"
# Neither this checkout nor anything of the user's: what was installed is tried.
CLEAN = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
CLEAN["PYTHONNOUSERSITE"] = "1"
# uv knows neither pip's settings nor, by itself, the certificates of the system.
CLEAN["UV_NATIVE_TLS"] = "true"
if pip_index():
    CLEAN["UV_DEFAULT_INDEX"] = pip_index()


def _places() -> Iterator[Path]:
    """Interpreters on PATH, of pyenv, and of a CI machine's tool cache."""
    for minor in range(MIN_PYTHON[1], 30):
        found = shutil.which(f"python3.{minor}")
        if found:
            yield Path(found)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob("versions/3.*/bin/python"))
    cached = os.environ.get("RUNNER_TOOL_CACHE")
    if cached:
        yield from sorted(Path(cached).glob("Python/3.*/*/bin/python"))


@cache
def others() -> dict[str, Path]:
    """One interpreter of each other version, by its version."""
    found: dict[str, Path] = {}
    for path in _places():
        told = subprocess.run([path, "-c", ASK], capture_output=True, text=True, check=False)
        name, *version = told.stdout.split() or [""]
        if told.returncode or name != "cpython":
            continue  # such as pyenv's stand-in for a version that is not chosen
        numbers = (int(version[0]), int(version[1]))
        if numbers >= MIN_PYTHON and numbers != HERE:
            found.setdefault(".".join(version), path)
    return found


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, env=CLEAN, check=False
    )


def ran(*command: object) -> None:
    done = run(*command)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    ran(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", place, ROOT)
    (made,) = place.glob("*.whl")
    return made


def installed(python: Path, wheel: Path, place: Path, *more: str) -> Path:
    """The Python of a new environment, which holds the kit."""
    ran("uv", "venv", "-q", "--python", python, place)
    ran("uv", "pip", "install", "-q", "--python", place / "bin" / "python", wheel, *more)
    return place / "bin" / "python"


VERIFY = "import sys, kit.cli; print([kit.cli.run(['verify', each]) for each in sys.argv[1:]])"


def check(python: Path, place: Path) -> None:
    """The golden folder holds for that kit; with a number changed it does not."""
    folder, other = (opened(GOLDEN, place / name) for name in ("good", "changed"))
    path = other / "results.json"
    text = path.read_text()
    start = text.index('"gain_percent": ') + len('"gain_percent": ')
    changed = str(float(text[start : text.index(",", start)]) * (1 + 1e-8))
    path.write_text(text[:start] + changed + text[text.index(",", start) :])
    # One process: the first import of the libraries takes most of the time.
    done = run(python, "-c", VERIFY, folder, other)
    assert done.stdout.endswith("[0, 8]\n"), done.stdout + done.stderr
    assert "results.json does not follow from the log" in done.stdout


@pytest.mark.parametrize("version", sorted(others()) or ["none"])
def test_a_golden_folder_is_honest_on_another_python(version: str, wheel, tmp_path: Path) -> None:
    if not others():
        pytest.skip("this machine has no other CPython of version 3.10 or later")
    check(installed(others()[version], wheel, tmp_path / "env"), tmp_path)


@pytest.mark.skipif(HERE > (3, 12), reason="these libraries have no wheels for Python 3.13")
@pytest.mark.parametrize("matplotlib", OLD_LIBRARIES)
def test_a_golden_folder_is_honest_with_old_libraries(
    matplotlib: str, wheel: Path, tmp_path: Path
) -> None:
    libraries = OLD_LIBRARIES[matplotlib]
    check(installed(Path(sys.executable), wheel, tmp_path / "env", *libraries), tmp_path)
