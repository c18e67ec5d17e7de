"""What a kit run of a do-nothing program costs beside ``docker run --rm`` of the same image.

Both are measured in turn, so that a change of the machine meets both alike.
Usage: python tests/bench/run_overhead.py [--rounds N]
Needs an engine and its command line program (docker or podman).
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from fakes import rootfs  # noqa: E402

from kit.engine.discover import discover  # noqa: E402
from kit.engine.protocol import RunRequest  # noqa: E402

IMAGE = "kit-bench/overhead:latest"
WANTED_RATIO = 1.5


def main() -> int:
    """Print both medians (seconds) and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    program = shutil.which("docker") or shutil.which("podman")
    if program is None:
        print("no docker or podman program to compare with")
        return 1
    engine = discover()
    with tempfile.TemporaryDirectory() as folder:
        tar = rootfs.write(Path(folder) / "rootfs.tar")
        engine.import_rootfs(tar, IMAGE, ['CMD ["/bin/true"]', "USER 10001:10001"])

    def by_program(*options: str) -> None:
        flag = "--url" if "podman" in program else "--host"
        subprocess.run([program, flag, engine.endpoint, "run", "--rm", *options, IMAGE], check=True)

    def without_network() -> None:
        by_program("--network", "none")

    def by_kit() -> None:
        outcome = engine.run(RunRequest(IMAGE, cpuset="0", memory_bytes=256 * 2**20))
        assert outcome.exit_code == 0, outcome

    try:
        by_program()
        by_kit()
        rows = [(timed(by_program), timed(by_kit), timed(without_network)) for _ in range(rounds)]
    finally:
        engine.remove_image(IMAGE)
    plain, kit, bare = (statistics.median(column) for column in zip(*rows, strict=True))
    ratio = statistics.median(row[1] / row[0] for row in rows)
    bare_ratio = statistics.median(row[1] / row[2] for row in rows)
    name = Path(program).name
    print(f"medians over {rounds} rounds, s")
    print(f"  kit run                        {kit:.3f}")
    print(f"  {name} run --rm                {plain:.3f}")
    print(f"  {name} run --rm --network none {bare:.3f}")
    print(f"ratio to {name} run --rm: {ratio:.2f} (wanted: at most {WANTED_RATIO});", end=" ")
    print(f"with no network as in the kit: {bare_ratio:.2f}")
    return 0


def timed(action: Callable[[], None]) -> float:
    """Wall seconds of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
