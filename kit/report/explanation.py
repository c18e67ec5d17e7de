"""An explanation as markdown and as JSON values."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from dataclasses import asdict

from tabulate import tabulate

from kit.judge.explain import Explanation, FitNumbers, Part
from kit.plan.roles import role_of
from kit.report.numbers import NONE, fixed, megabytes, seconds, share
from kit.report.tables import bullets, table
from kit.report.text import inline, plain

REPORT, RESULTS = "explanation.md", "explanation.json"
_NOTE = (
    "Seconds a fit, contender minus baseline, means over blocks with 95 % paired t intervals. "
    "Each part changes one thing in containers of its own; none of it is in the times that "
    "claims are judged on. Parts overlap and are not to be added up; CPU seconds are of all "
    "cores together."
)


def files(found: Explanation) -> Mapping[str, bytes]:
    """The explanation as markdown and as JSON, by file name."""
    text = f"# Where the difference comes from\n\n{section(found)}\n"
    return {REPORT: text.encode(), RESULTS: document(found).encode()}


def section(found: Explanation) -> str:
    """The summary, the parts, and the numbers behind them."""
    parts = [
        [
            inline(part.name),
            inline(part.means),
            _signed(part.seconds),
            _bounds(part),
            share(part.share),
            str(part.blocks),
        ]
        for part in found.parts
    ]
    numbers = [
        [inline(arm), inline(role), role_of(role).means, *_numbers(run)]
        for (arm, role), run in sorted(found.numbers.items())
    ]
    headers = ["part", "is", "seconds", "95 % interval", "of the whole", "blocks"]
    columns = [
        "arm", "runs", "are", "wall (s)", "user (s)", "system (s)", "faults",
        "RSS growth (MB)", "cold (s)", "inside the library (s)",
    ]  # fmt: skip
    return "\n\n".join(
        [
            bullets([inline(line, 400) for line in found.summary]),
            table(headers, parts, "llrrrr"),
            _NOTE,
            table(columns, numbers, "lllrrrrrrr"),
        ]
    )


def plain_text(found: Explanation) -> str:
    """For the terminal: the summary and the parts, at most 80 columns."""
    lines = [line for text in found.summary for line in textwrap.wrap(plain(text, 400), 80)]
    rows = [[plain(part.name), _signed(part.seconds), _bounds(part)] for part in found.parts]
    shown = tabulate(
        rows, headers=["part", "s a fit", "95 % interval"], tablefmt="simple", disable_numparse=True
    )
    return "\n".join([*lines, "", *shown.splitlines()])


def document(found: Explanation) -> str:
    """The explanation as JSON text: unrounded, sorted."""
    made = {"schema": 1, **values(found)}
    return json.dumps(made, sort_keys=True, indent=2, allow_nan=False) + "\n"


def values(found: Explanation) -> dict[str, object]:
    """The explanation as JSON values."""
    return {
        "baseline": found.pair.baseline,
        "contender": found.pair.contender,
        "summary": found.summary,
        "parts": [asdict(part) for part in found.parts],
        "numbers": [
            {"arm": arm, "role": role, **asdict(run)}
            for (arm, role), run in sorted(found.numbers.items())
        ],
    }


def _signed(value: float | None) -> str:
    return fixed(value, 3, sign=True)


def _bounds(part: Part) -> str:
    bounds = part.interval
    return NONE if bounds is None else f"{_signed(bounds.low)} to {_signed(bounds.high)}"


def _numbers(run: FitNumbers) -> list[str]:
    return [
        seconds(run.wall_s),
        seconds(run.user_s),
        seconds(run.system_s),
        fixed(run.faults),
        megabytes(run.rss_growth_bytes),
        seconds(run.cold_s),
        seconds(run.inner_s),
    ]
