"""What the driver itself uses of the CPU while a run goes on. Wanted: at most 2 % of a core.

Usage: python tests/bench/driver_load.py [--seconds N]
Needs an engine.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from fakes import rootfs  # noqa: E402

from kit.engine.discover import discover  # noqa: E402
from kit.engine.protocol import RunRequest  # noqa: E402

IMAGE = "kit-bench/driver:latest"


def main() -> int:
    """Print CPU seconds of this process over those of the run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=20)
    length = parser.parse_args().seconds
    engine = discover()
    with tempfile.TemporaryDirectory() as folder:
        tar = rootfs.write(Path(folder) / "rootfs.tar")
        engine.import_rootfs(tar, IMAGE, ['CMD ["/bin/true"]', "USER 10001:10001"])
    try:
        before, start = cpu_s(), time.monotonic()
        outcome = engine.run(RunRequest(IMAGE, command=("sleep", str(length))))
        used, wall = cpu_s() - before, time.monotonic() - start
        assert outcome.exit_code == 0, outcome
    finally:
        engine.remove_image(IMAGE)
    print(f"driver: {used:.3f} CPU s over {wall:.1f} s: {used / wall:.2%} of a core")
    return 0


def cpu_s() -> float:
    """CPU seconds of this process, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
