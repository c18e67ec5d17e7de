"""Simulation of the choice of boundaries, first look and futility of group-sequential sessions.

For each rule: mean blocks relative to a pilot and a fixed number, and how much more often the
lead claim is decided, over the cells of tests/method/test_sequential.py. Draws docs/looks.svg.
Usage: python tests/bench/choose_looks.py [--sessions N]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import fmean

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS.parent), str(TESTS), str(TESTS / "method")]

from tabulate import tabulate  # noqa: E402
from test_sequential import BANDS, BUDGETS, SPREADS, TRUTHS, cell  # noqa: E402

from kit.plan.budget import FIRST_LOOK, FUTILITY, SHAPE  # noqa: E402
from kit.report.plots.style import COLOURS, INK, MARKERS, styled  # noqa: E402

SHAPES = (0.0, 0.1, 0.2, 0.3, 0.5)
FIRSTS = (4, 5, 6, 8)
FUTILITIES = (0.0, 0.1, 0.2, 0.3)
Rule = tuple[float, int, float]


def main() -> int:
    """Print one row per rule and budget, and draw the choice of shape and first look."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=300)
    sessions = parser.parse_args().sessions
    rules: list[Rule] = [(shape, first, FUTILITY) for shape in SHAPES for first in FIRSTS]
    rules += [(SHAPE, FIRST_LOOK, futility) for futility in FUTILITIES if futility != FUTILITY]
    found = {(most, rule): measured(most, rule, sessions) for most in BUDGETS for rule in rules}
    header = ("most", "shape", "first look", "futility", "blocks", "large", "decided", "least")
    rows = [(most, *rule, *numbers) for (most, rule), numbers in found.items()]
    print(tabulate(rows, header, floatfmt=".3g"))
    draw({key: value for key, value in found.items() if key[1][2] == FUTILITY})
    return 0


def measured(most: int, rule: Rule, sessions: int) -> tuple[float, float, float, float]:
    """Return relative blocks, those of large differences, and more decided: mean and least."""
    shape, first, futility = rule
    cells = [
        cell(most, gain, spread, kind, first, shape, futility, sessions)
        for gain in BANDS
        for spread in SPREADS
        for kind in TRUTHS
    ]
    more = [each.decided(each.looked) - each.decided(each.planned) for each in cells]
    large = [each.relative for each in cells if each.kind in ("twice", "opposite")]
    return fmean(each.relative for each in cells), fmean(large), fmean(more), min(more)


def draw(found: dict[tuple[int, Rule], tuple[float, float, float, float]]) -> None:
    """Draw one panel per budget: blocks against decided claims, one line per shape."""
    with styled():
        import matplotlib.pyplot as plt

        figure, panels = plt.subplots(1, len(BUDGETS), figsize=(7.2, 3.2), sharey=True)
        for panel, most in zip(panels, BUDGETS, strict=True):
            for shape, colour, marker in zip(SHAPES, COLOURS, MARKERS, strict=False):
                points = [found[most, (shape, first, FUTILITY)] for first in FIRSTS]
                x, y = [100 * p[0] for p in points], [100 * p[2] for p in points]
                panel.plot(
                    x, y, color=colour, marker=marker, ms=4, lw=0.8, label=f"shape {shape:g}"
                )
            chosen = found[most, (SHAPE, FIRST_LOOK, FUTILITY)]
            panel.plot(
                [100 * chosen[0]], [100 * chosen[2]], "o", ms=11, mfc="none", mec=INK,
                label="chosen",
            )  # fmt: skip
            panel.set_title(f"at most {most} blocks")
            panel.set_xlabel("mean blocks, % of pilot and fixed number")
        panels[0].set_ylabel("more claims decided, points")
        panels[0].legend(title="shape", fontsize=7)
        figure.tight_layout()
        figure.savefig(
            TESTS.parent / "docs" / "looks.svg", metadata={"Date": None, "Creator": "kit"}
        )


if __name__ == "__main__":
    sys.exit(main())
