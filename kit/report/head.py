"""The head of a report for the terminal: at most 80 columns, readable without colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kit.judge.verdict import EQUIVALENT, INCONCLUSIVE, OPPOSITE, REPRODUCED, SAME_DIRECTION
from kit.plan.model import DUET
from kit.report.numbers import NONE, effect, gain
from kit.report.text import plain

if TYPE_CHECKING:
    from kit.judge.executable import ExecutableVerdict
    from kit.judge.training import TrainingVerdict
    from kit.judge.verdict import Verdict
    from kit.report.model import ReportModel

    _AnyVerdict = Verdict | TrainingVerdict | ExecutableVerdict

WIDTH = 80
_NARROW = 70
"""Below this a table would cut the verdicts: they are a list then."""
_MOST_LINES = 4  # of one wrapped sentence, at full width
_COLOURS: Mapping[str, str] = {
    REPRODUCED: "green",
    SAME_DIRECTION: "cyan",
    OPPOSITE: "red",
    EQUIVALENT: "magenta",
    INCONCLUSIVE: "yellow",
}


def show(model: ReportModel, console: Console) -> None:
    """Print verdict, same work, controls, claims, substitutes and failures.

    Colour is the console's choice: none where standard output is no terminal or ``NO_COLOR``
    is set; no meaning rests on it.
    """
    several = len(model.variants) > 1
    width = min(console.width, WIDTH)

    def paragraph(*sentences: str, style: str = "") -> None:
        lines = [line for sentence in sentences for line in _wrapped(sentence, console, width)]
        for line in lines:
            console.print(Text(line, style=style), soft_wrap=True)
        if lines:
            console.print()

    paragraph(model.study.title)
    paragraph(model.headline, style="bold")
    paragraph(
        *(
            (f"{part.variant}: " if several else "") + part.same_work_line
            for part in model.variants
        ),
        model.controls_line,
        duet_line(model),
    )
    rows = _rows(model, several)
    if not rows:
        paragraph("The study has no measured claim.")
    elif width < _NARROW:
        for row in rows:
            measured = f"paper {row.paper}; here {row.here}" if row.paper != NONE else ""
            paragraph(f"{row.name}: {row.verdict.printed}", measured)
    else:
        console.print(_table(rows), width=width)
        console.print()
    paragraph(
        substitutes_line(model),
        _left_out(model),
        model.gpu.flag_line if model.gpu is not None else "",
    )


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


@dataclass(frozen=True)
class _Row:
    name: str
    paper: str
    here: str
    verdict: _AnyVerdict


def _rows(model: ReportModel, several: bool) -> list[_Row]:
    rows = [
        _Row(
            _named(v.claim.id, v.claim.statistic, v.variant, several),
            effect(v.claim.published_gain_percent, model.form_of(v)),
            gain(v.measured, model.form_of(v)),
            v,
        )
        for v in model.verdicts
    ]
    rows += [
        _Row(_named(v.claim.id, "training", v.variant, several), NONE, NONE, v)
        for v in model.judged.training
    ]
    return [*rows, *(_Row(f"{v.claim.id} executable", NONE, NONE, v)
                     for v in model.judged.executable)]  # fmt: skip


def _table(rows: Sequence[_Row]) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="")
    for name in ("claim", "paper", "gain here [95 %]", "verdict"):
        table.add_column(name)
    for row in rows:
        # Text and not a string: a claim's id is data, and brackets in one are no markup.
        table.add_row(
            Text(plain(row.name, 16)),
            Text(row.paper),
            Text(row.here),
            Text(row.verdict.printed, style=_COLOURS.get(row.verdict.word, "")),
        )
    return table


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


def _wrapped(text: str, console: Console, width: int) -> list[str]:
    """Lines of so many cells at most: a letter of Korean takes two of them."""
    whole = Text(plain(text, WIDTH * _MOST_LINES))
    if not whole:
        return []
    lines = [line.plain.rstrip() for line in whole.wrap(console, width)]
    most = _MOST_LINES * WIDTH // width
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][: width - 1] + "…"]
    return lines
