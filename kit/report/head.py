"""The head of a report, for the terminal."""

from __future__ import annotations

from rich.console import Console

from kit.report.document import Heading, List, Paragraph, Strong, Table, Text
from kit.report.headline import status_lines, substitutes_line
from kit.report.left_out import excluded
from kit.report.model import AnyVerdict, ReportModel
from kit.report.numbers import NONE, gain
from kit.report.render import terminal
from kit.report.sections.claims import verdict_text
from kit.report.words import claimed_short


def show(model: ReportModel, console: Console) -> None:
    """Print verdict, same work, controls, claims, substitutes and failures."""
    terminal.show(head(model), console)


def head(model: ReportModel) -> tuple[terminal.Shown, ...]:
    """Return the head as blocks."""
    rows = tuple(_rows(model))
    header = ("claim", "published", "measured gain [95 % CI]", "verdict")
    claims = Table(header, rows) if rows else Paragraph("The study has no measured claims.")
    notes = (
        substitutes_line(model),
        _left_out(model),
        model.gpu.flag_line if model.gpu is not None else "",
    )
    return (
        Heading(1, model.study.title),
        Paragraph(Strong(model.headline)),
        List(tuple(status_lines(model))),
        claims,
        *(Paragraph(note) for note in notes if note),
    )


def _rows(model: ReportModel) -> list[tuple[Text, ...]]:
    several = len(model.variants) > 1

    def row(
        verdict: AnyVerdict, what: str, variant: str = "", published: str = NONE, here: str = NONE
    ) -> tuple[Text, ...]:
        name = f"{verdict.claim.id} {what}" + (f" {variant}" if several and variant else "")
        return (name, published, here, verdict_text(verdict))

    rows = [
        row(
            v,
            v.claim.statistic,
            v.variant,
            claimed_short(v.claim, model.form_of(v)),
            gain(v.measured, model.form_of(v)),
        )
        for v in model.verdicts
    ]
    rows += [row(v, "training", v.variant) for v in model.judged.training]
    return rows + [row(v, "executable") for v in model.judged.executable]


def _left_out(model: ReportModel) -> str:
    failed, out = len(model.failures), len(excluded(model.judged.exclusions))
    if not failed and not out:
        return ""
    return f"Failed runs: {failed}; excluded from the comparison: {out} (see the report)."
