"""The A/A spread of both designs here, the blocks each needs, and the share of timed fits.

A session of each design is made with the shipped study; its placebo pairs, the same
program twice, give the spread. With --both-from DIR DIR, sessions that are there already.
Usage: python tests/bench/spread.py [--blocks N] [--budget TIER]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2])]

from kit.judge.comparison import judge  # noqa: E402
from kit.judge.power import blocks_needed, planning_sd  # noqa: E402
from kit.records.session import Session, moment  # noqa: E402
from kit.results.runlog import read_session  # noqa: E402
from kit.study.load import shipped_study  # noqa: E402

GAIN, POWER = 6.0, 0.8


def main() -> int:
    """Print one table a design."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=6)
    parser.add_argument("--budget", default="quick")
    parser.add_argument("--sessions", nargs="*", type=Path, default=[])
    asked = parser.parse_args()
    folders = asked.sessions or [
        made(design, asked.blocks, asked.budget) for design in ("alternating", "duet")
    ]
    for folder in folders:
        show(read_session(folder))
    return 0


def made(design: str, blocks: int, budget: str) -> Path:
    """A session of that design; its folder."""
    out = Path(tempfile.mkdtemp())
    command = ["reproduce", "--budget", budget, "--blocks", str(blocks), "--design", design]
    done = subprocess.run(
        [sys.executable, "-m", "kit", *command, "--allow-busy-host", "--out", str(out)], check=False
    )
    if done.returncode:
        sys.exit(f"the {design} session ended with {done.returncode}")
    return next(out.iterdir())


def show(session: Session) -> None:
    """Spread of the placebo pairs by statistic, and where the time went."""
    plan = session.header.plan
    (part,) = judge(session, shipped_study()).comparisons
    placebo = next(control for control in part.controls if control.role == "placebo")
    print(f"{plan.design}, {len(placebo.blocks)} pairs, {plan.repeats} fits a run")
    for name in ("mean", "warm_median", "cpu"):
        estimate = placebo.estimates[name]
        if estimate.sd_log is None:
            continue
        needed = blocks_needed(estimate.sd_log, GAIN, POWER)
        careful = blocks_needed(planning_sd(estimate.sd_log, estimate.pairs), GAIN, POWER)
        print(
            f"  {name:9} SD of log ratio {estimate.sd_log:.4f}; blocks for {GAIN:g} % at "
            f"{POWER:.0%}: {needed} as it is, {careful} with the pilot's margin"
        )
    entries = session.entries
    begin = min(moment(e.started_at) for e in entries)
    end = max(moment(e.finished_at) for e in entries)
    fits = sum(f.wall_ns / 1e9 for e in session.timed() if e.record for f in e.record.fits)
    wall = (end - begin).total_seconds()
    print(f"  timed fits {fits:.0f} s of {wall:.0f} s: {fits / wall:.0%}")


if __name__ == "__main__":
    sys.exit(main())
