"""The opening of a report, and the same-work checks."""

from __future__ import annotations

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
from kit.report.headline import status_lines, substitutes_line
from kit.report.model import ReportModel, VariantReport
from kit.report.same_work_words import detail


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
