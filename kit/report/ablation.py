"""An ablation as a document, as text for the terminal, and as JSON values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from kit.judge.ablation import Ablation, ContrastEstimate, ContrastName
from kit.judge.cost import FitNumbers
from kit.judge.pairing import ArmPair
from kit.plan.roles import role_of
from kit.report.document import Block, Heading, List, Paragraph, Table
from kit.report.numbers import NONE, format_megabytes, format_number, format_seconds, format_share
from kit.report.render import markdown, terminal
from kit.results import ABLATION_REPORT, ABLATION_RESULTS

TITLE = "Ablation: sources of the difference"
MEANS: Mapping[ContrastName, str] = {
    "whole": "total difference of a warm fit, wall time",
    "user CPU": "CPU time in user mode, all cores",
    "system CPU": "CPU time in the kernel, all cores",
    "binding": "the call outside the library's fit",
    "inside the library": "the library's fit",
    "progress output": "reduction without progress output",
    "terminal": "reduction if the output is a terminal instead of a pipe",
    "memory kept": "slowdown of the baseline if it keeps every array",
    "allocator": "reduction if freed memory stays with the process",
    "cold start": "additional time of the first fit over a warm fit",
}
_NOTE = (
    "Seconds per fit, contender minus baseline: means over blocks with 95 % paired t intervals. "
    "Each part changes one condition in separate containers, whose times do not count for any "
    "claim. Parts overlap, so do not add them up. CPU seconds are sums over all cores."
)


def files(found: Ablation) -> Mapping[str, bytes]:
    """Return an ablation's report as markdown and as JSON, by file name."""
    text = markdown.render((Heading(1, TITLE), *section(found)))
    return {ABLATION_REPORT: text.encode(), ABLATION_RESULTS: document(found).encode()}


def section(found: Ablation) -> tuple[Block, ...]:
    """Return an ablation as a section: its summary, the parts, and the numbers behind them."""
    parts = tuple(
        (
            part.name,
            MEANS[part.name],
            _signed(part.seconds),
            _bounds(part),
            format_share(part.share),
            str(part.blocks),
        )
        for part in found.contrasts
    )
    numbers = tuple(
        (arm, role, role_of(role).description, *_numbers(run))
        for (arm, role), run in sorted(found.numbers.items())
    )
    columns = (
        "arm", "condition", "description", "wall (s)", "user (s)", "system (s)", "faults",
        "RSS growth (MB)", "cold fit (s)", "inside the library (s)",
    )  # fmt: skip
    return (
        List(summary(found)),
        Table(
            ("part", "description", "seconds", "95 % interval", "fraction of total", "blocks"),
            parts,
        ),
        Paragraph(_NOTE),
        Table(columns, numbers),
    )


def summary(found: Ablation) -> tuple[str, ...]:
    """Return sentences on an ablation: its total difference, then its parts.

    The significant parts come first, largest first, then the names of the others.
    """
    total, *others = found.contrasts
    if total.seconds is None:
        return ("No block holds a run of both arms, so kit cannot attribute a difference.",)
    return (_total_sentence(total, found.pair), *_part_sentences(others))


def _total_sentence(total: ContrastEstimate, pair: ArmPair) -> str:
    size = total.seconds or 0.0
    if not total.clear:
        return (
            f"Over {total.blocks} blocks, {pair.contender} and {pair.baseline} do not differ "
            f"significantly in wall time ({size:+.3f} s per fit)."
        )
    word = "more" if size > 0 else "less"
    return (
        f"A warm fit of {pair.contender} takes {abs(size):.3f} s {word} than one of "
        f"{pair.baseline}."
    )


def _part_sentences(parts: Sequence[ContrastEstimate]) -> list[str]:
    """Return the significant parts, largest first, then the names of the others."""
    clear = sorted((p for p in parts if p.clear), key=lambda p: -abs(p.seconds or 0.0))
    lines = [
        f"{part.name}: {part.seconds:+.3f} s ({MEANS[part.name]})"
        + (f", {format_share(part.share)} of the total." if part.share is not None else ".")
        for part in clear
    ]
    unclear = [part.name for part in parts if not part.clear]
    return [*lines, f"Not statistically significant: {', '.join(unclear)}."] if unclear else lines


def plain_text(found: Ablation) -> str:
    """Return an ablation's summary and its parts for a terminal, at most 80 columns."""
    rows = tuple((part.name, _signed(part.seconds), _bounds(part)) for part in found.contrasts)
    table = Table(("part", "seconds per fit", "95 % interval"), rows)
    return terminal.text((List(summary(found)), table))


def document(found: Ablation) -> str:
    """Return the ablation as JSON text: unrounded, sorted."""
    made = {"schema": 1, **values(found)}
    return json.dumps(made, sort_keys=True, indent=2, allow_nan=False) + "\n"


def values(found: Ablation) -> dict[str, object]:
    """Return an ablation as JSON values."""
    return {
        "baseline": found.pair.baseline,
        "contender": found.pair.contender,
        "summary": summary(found),
        "parts": [{**asdict(part), "means": MEANS[part.name]} for part in found.contrasts],
        "numbers": [
            {"arm": arm, "role": role, **asdict(run)}
            for (arm, role), run in sorted(found.numbers.items())
        ],
    }


def _signed(value: float | None) -> str:
    return format_number(value, 3, sign=True)


def _bounds(part: ContrastEstimate) -> str:
    bounds = part.interval
    return NONE if bounds is None else f"{_signed(bounds.low)} to {_signed(bounds.high)}"


def _numbers(run: FitNumbers) -> tuple[str, ...]:
    return (
        format_seconds(run.wall_s),
        format_seconds(run.user_s),
        format_seconds(run.system_s),
        format_number(run.faults),
        format_megabytes(run.rss_growth_bytes),
        format_seconds(run.cold_s),
        format_seconds(run.inner_s),
    )
