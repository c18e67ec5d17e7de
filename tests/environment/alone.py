"""Each variable alone, with each kind of value: what the test sets all at once.

    python tests/environment/alone.py [NAME ...]

It names every case that ends or writes otherwise than without the variable. All of them take
half an hour of one CPU.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS.parent), str(TESTS)]

from environment.variables import COMMANDS, KINDS, NAMES, ends  # noqa: E402
from golden.archive import GOLDEN, opened  # noqa: E402


def main(names: list[str]) -> int:
    """Try each; how many cases differ."""
    differ = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = opened(GOLDEN, Path(temporary))
        _, unset, _ = ends(folder, {})
        for name in names:
            for kind, value in KINDS.items():
                codes, sums, said = ends(folder, {name: value})
                inside = {file: sums[file] for file in sums if "/" in file}
                if codes != dict.fromkeys(COMMANDS, 0) or inside != unset:
                    differ += 1
                    print(f"{name}, {kind}: {codes}\n{said[-2000:]}", flush=True)
    print(f"{len(names)} variables, {differ} cases that differ")
    return min(differ, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(NAMES)))
