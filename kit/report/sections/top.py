"""The opening of a report, in full and for the terminal, and the same-work checks."""

from __future__ import annotations

from rich.console import Console

from kit.report.conditions import excluded
from kit.report.document import (
    PROSE_LIMIT,
    Block,
    Code,
    Fold,
    Heading,
    List,
    Paragraph,
    Strong,
    Table,
    Text,
    Tone,
    joined,
)
from kit.report.findings import detail
from kit.report.headline import claimed_short, status_lines, substitutes_line
from kit.report.model import AnyVerdict, ReportModel, VariantReport
from kit.report.numbers import NONE, gain
from kit.report.render import terminal
from kit.report.sections.claims import verdict_text


def opening(model: ReportModel) -> tuple[Block, ...]:
    """Return the verdict, same work, controls, substitutes, then the paper and the session."""
    lines = [*status_lines(model), substitutes_line(model)]
    lines += [model.gpu.flag_line] if model.gpu is not None and model.gpu.flag_line else []
    checked: Text = (
        "Checked: ", model.study.paper.citation, " Session ", Code(model.header.session_id), ", ",
        model.header.created, ", kit ", model.header.kit_version, ".",
    )  # fmt: skip
    return (
        Heading(1, model.study.title),
        Paragraph(Strong(model.headline)),
        *map(Paragraph, lines),
        Paragraph(checked),
    )


def same_work(model: ReportModel) -> tuple[Block, ...]:
    """Return every check, held or not, and the libraries that only one arm maps."""
    several = len(model.variants) > 1
    return tuple(block for part in model.variants for block in _variant(part, several))


def show(model: ReportModel, console: Console) -> None:
    """Print the head of a report: verdict, same work, controls, claims, substitutes, failures."""
    terminal.show(head(model), console)


def head(model: ReportModel) -> tuple[terminal.Shown, ...]:
    """Return the head of a report, which ``show`` prints, as blocks."""
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


def _variant(part: VariantReport, several: bool) -> tuple[Block, ...]:
    work = part.comparison.same_work
    rows: tuple[tuple[Text, ...], ...] = tuple(
        (check.name, "held" if check.held else Strong("NOT HELD", Tone.BAD), detail(check))
        for check in work.checks
    )
    own = tuple(
        (f"{arm}: ", *joined(map(Code, paths))) for arm, paths in sorted(work.own_libraries.items())
    )
    named = (Paragraph(f"Variant {part.variant}:"),) if several else ()
    table = (Table(("check", "result", "detail"), rows, PROSE_LIMIT),) if rows else ()
    fold = (
        (Fold("Libraries that only one arm maps (those of its runtime)", (List(own),)),)
        if own
        else ()
    )
    return *named, *table, *fold


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
