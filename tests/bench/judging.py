"""Judging a log of 10,000 runs, and reading and reporting one of 1,000: seconds and memory.

Wanted: judging at most 5 s and 500 MB, all formats at most 10 s.
Usage: python tests/bench/judging.py [--runs N]
"""

from __future__ import annotations

import argparse
import math
import random
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from support.sessions import DOTNET, PYTHON, make_session, make_study, with_role  # noqa: E402

from kit.judge.comparison import judge  # noqa: E402
from kit.plan.make import plan_sha256  # noqa: E402
from kit.records.session import Session  # noqa: E402

FITS = 10


def main() -> int:
    """Print seconds and the peak of resident memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000)
    runs = parser.parse_args().runs
    session = log_of(runs)
    held = peak_mb()
    start = time.perf_counter()
    judge(session, make_study())
    seconds = time.perf_counter() - start
    print(
        f"judged {len(session.entries)} runs in {seconds:.2f} s; peak {peak_mb():.0f} MB, "
        f"{held:.0f} MB of it before"
    )
    reports(log_of(1_000))
    return 0


def reports(session: Session) -> None:
    """From the log's file to every file of a report."""
    from kit.report.build import build_report
    from kit.report.files import report_files
    from kit.results import PAGE
    from kit.results.runlog import RunLog, read_session

    plan_sum = plan_sha256(session.header.plan)
    with tempfile.TemporaryDirectory() as folder:
        header = replace(session.header, plan_sha256=plan_sum)
        RunLog.create(Path(folder), header).add_entries(session.entries)
        start = time.perf_counter()
        read = read_session(Path(folder))
        reading = time.perf_counter() - start
        files = report_files(build_report(read, make_study()))
        seconds = time.perf_counter() - start
    size = sum(len(content) for content in files.values())
    print(
        f"all reports of {len(session.entries)} runs in {seconds:.2f} s, {reading:.2f} s of them "
        f"to read the log; {size / 1e6:.1f} MB, "
        f"{PAGE} {len(files[PAGE]) / 1e6:.1f} MB"
    )


def log_of(runs: int) -> Session:
    """A session of about so many runs: both stacks and the two controls."""
    chance = random.Random(1)

    def times(scale: float) -> list[list[float]]:
        return [
            [scale * math.exp(chance.gauss(0, 0.05)) for _ in range(FITS)] for _ in range(runs // 4)
        ]

    session = make_session({PYTHON: times(2.0), DOTNET: times(2.5)})
    even = [math.exp(chance.gauss(0, 0.05)) for _ in range(runs // 4)]
    session = with_role(session, "placebo", even)
    return with_role(session, "slowed", [1.2 * value for value in even])


def peak_mb() -> float:
    """Most resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    sys.exit(main())
