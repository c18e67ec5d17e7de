"""The head of a report for the terminal: plain text, at most 80 columns."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from tabulate import tabulate

from kit.plan.model import DUET
from kit.report.numbers import NONE, gain, signed_percent
from kit.report.text import plain

if TYPE_CHECKING:
    from kit.report.model import ReportModel

WIDTH = 80
_MOST_LINES = 4  # of one wrapped sentence


def head(model: ReportModel) -> str:
    """What is printed after a run: verdict, same work, claims, substitutes, failures."""
    several = len(model.variants) > 1
    lines = [*_wrapped(model.study.title), "", *_wrapped(model.headline), ""]
    for part in model.variants:
        prefix = f"{part.variant}: " if several else ""
        lines += _wrapped(prefix + part.same_work_line)
    lines += _wrapped(model.controls_line)
    lines += _wrapped(duet_line(model))
    lines += ["", *_table(model, several), "", *_wrapped(substitutes_line(model))]
    lines += _wrapped(_left_out(model))
    lines += _wrapped(model.gpu.flag_line if model.gpu is not None else "")
    return "\n".join(line[:WIDTH] for line in lines).rstrip() + "\n"


def substitutes_line(model: ReportModel) -> str:
    """Which components were not the ones the study names."""
    others = [row.name for row in model.header.fidelity if not row.exact]
    if not others and not model.substitutes:
        return "Substitutes: none."
    unaccounted = [name for name in model.substitutes if name not in others]
    text = f"Substitutes: {', '.join(others) or 'none'}."
    if unaccounted:
        text += f" Not accounted for: {', '.join(unaccounted)}."
    if model.substitutes:
        text += f" Verdicts are indicative because of: {', '.join(model.substitutes)}."
    return text


def _table(model: ReportModel, several: bool) -> list[str]:
    rows = [
        [
            plain(_named(v.claim.id, v.claim.statistic, v.variant, several), 16),
            signed_percent(v.claim.published_gain_percent),
            gain(v.measured),
            v.printed,
        ]
        for v in model.verdicts
    ]
    rows += [
        [
            plain(_named(v.claim.id, "training", v.variant, several), 16),
            NONE,
            NONE,
            v.printed,
        ]
        for v in model.judged.training
    ]
    rows += [
        [plain(f"{v.claim.id} executable", 16), NONE, NONE, v.printed]
        for v in model.judged.executable
    ]
    if not rows:
        return ["The study has no measured claim."]
    text = tabulate(
        rows,
        headers=["claim", "paper", "gain here [95 %]", "verdict"],
        tablefmt="simple",
        disable_numparse=True,
    )
    return [line.rstrip() for line in text.splitlines()]


def _named(claim: str, what: str, variant: str, several: bool) -> str:
    return f"{claim} {what} {variant}" if several else f"{claim} {what}"


def duet_line(model: ReportModel) -> str:
    """What a reader of ratios from pairs run side by side must know; empty otherwise."""
    if model.header.plan.design != DUET:
        return ""
    return (
        "The two of a pair ran at the same time on halves of the CPUs: every ratio is one under "
        "contention."
    )


def _left_out(model: ReportModel) -> str:
    failed, excluded = len(model.failures), len(model.judged.exclusions)
    if not failed and not excluded:
        return ""
    return f"Failed runs: {failed}; left out of the comparison: {excluded} (see the report)."


def _wrapped(text: str) -> list[str]:
    lines = textwrap.wrap(plain(text, WIDTH * _MOST_LINES), WIDTH)
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], lines[_MOST_LINES - 1][: WIDTH - 1] + "…"]
    return lines
