"""Faults put into a copy of kit, one at a time: the tests must find each.

    python tests/method/faults/run.py [--jobs N] [GROUP ...] [--name TEXT ...]

Groups are `fixes` (each takes a fix out) and `rooms` (faults in `kit/judge` and `kit/verify`); a
fault is named by any part of its name. The tests of the list are first run without any fault.
Exit code 1 where one is not found: where its tests pass, or cannot be run to their end.
"""

from __future__ import annotations

import argparse
import compileall
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[1])]

from method.faults.listed import GROUPS, ROOT, Fault, faults  # noqa: E402

LIMIT_S = 120
"""For the tests of one fault, which take seconds. A fault must not keep one busy for ever."""
_FAILED = 1
"""pytest's exit code where tests failed; other codes tell that none could be run."""


@dataclass(frozen=True)
class Tried:
    """What became of a fault: "found", "NOT FOUND", or "ERROR" and why."""

    word: str
    seconds: float
    by: str = ""
    """The first test that failed."""


def copied(folder: Path) -> Path:
    """Return a compiled copy of what is in the working tree, and nothing that git ignores."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout
    for name in map(os.fsdecode, filter(None, names.split(b"\0"))):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    # By its hash: a changed file may have the size and the time of the one that was compiled.
    checked = py_compile.PycInvalidationMode.CHECKED_HASH
    compileall.compile_dir(folder / "kit", quiet=2, invalidation_mode=checked)
    return folder


def refuse_other_kit(folder: Path) -> None:
    """Raise RuntimeError where tests in the copy would import another kit than the copy's."""
    found = subprocess.run(
        [sys.executable, "-c", "import kit; print(kit.__file__)"],
        cwd=folder, env=environment(folder), capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    if not Path(found).is_relative_to(folder):
        raise RuntimeError(f"tests in {folder} import {found}")


def environment(folder: Path) -> dict[str, str]:
    """Return the variables under which the copy is the one that is imported."""
    path = f"{folder}{os.pathsep}{folder / 'tests'}"
    return {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def tested(folder: Path, tests: Sequence[str], limit_s: float | None = None) -> tuple[int, str]:
    """Return pytest's exit code on these tests, and its output. Raise TimeoutExpired."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-n0", "-q", "-p", "no:cacheprovider", *tests],
        cwd=folder, env=environment(folder), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", timeout=limit_s, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def tried(original: Path, fault: Fault) -> Tried:
    """Return what the tests say of a copy with the fault."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(shutil.copytree(original, Path(temporary).resolve() / "copy"))
        file = folder / "kit" / fault.file
        file.write_text(fault.applied(file.read_text()))
        try:
            code, output = tested(folder, fault.tests, LIMIT_S)
        except subprocess.TimeoutExpired:
            return Tried(f"ERROR: no end in {LIMIT_S} s", time.monotonic() - start)
    seconds = time.monotonic() - start
    if code == _FAILED:
        lines = [line for line in output.splitlines() if line.startswith(("FAILED ", "ERROR "))]
        return Tried("found", seconds, lines[0].split()[1] if lines else "")
    word = "NOT FOUND" if code == 0 else f"ERROR: pytest ends with {code}\n{output[-2000:]}"
    return Tried(word, seconds)


def main() -> int:
    """Try the faults; print a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}")
    parser.add_argument("--name", nargs="+", default=[""], metavar="TEXT", help="part of a name")
    parser.add_argument("--jobs", type=int, default=1, help="how many at the same time")
    options = parser.parse_args()
    wanted = [
        fault
        for fault in faults()
        if fault.group in (options.groups or GROUPS)
        and any(text in fault.name for text in options.name)
    ]
    if not wanted:
        parser.error("no fault of the list is called so")
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(options.jobs) as pool:
        original = copied(Path(temporary).resolve())
        refuse_other_kit(original)
        code, output = tested(original, sorted({test for fault in wanted for test in fault.tests}))
        if code != 0:
            print(f"without any fault pytest ends with {code}\n{output[-4000:]}")
            return 1
        missed = 0
        results = pool.map(lambda fault: tried(original, fault), wanted)
        for fault, found in zip(wanted, results, strict=True):
            missed += found.word != "found"
            print(f"{found.seconds:5.1f} s  {found.word}: {fault.name}  {found.by}", flush=True)
    print(f"{len(wanted)} faults, {missed} not found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
