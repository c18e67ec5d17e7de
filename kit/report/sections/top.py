"""The opening of a report, in full and for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console

from kit.judge.controls import Control, failing
from kit.report.conditions import excluded
from kit.report.document import (
    PROSE_LIMIT,
    Answer,
    Block,
    Code,
    Command,
    Fold,
    Heading,
    List,
    Paragraph,
    Replaced,
    Replacements,
    Strong,
    Table,
    Text,
    Tone,
    joined,
)
from kit.report.findings import detail
from kit.report.headline import (
    answer,
    basis_lines,
    claimed_short,
    status_lines,
    substitutes_line,
)
from kit.report.model import AnyVerdict, ReportModel, VariantReport
from kit.report.next_step import next_step
from kit.report.numbers import NONE, Form, format_gain
from kit.report.render import terminal
from kit.report.sections import checks, claims


def opening(model: ReportModel) -> tuple[Block, ...]:
    """Return what was claimed, and whether it holds."""
    gpu = model.gpu.flag_line if model.gpu is not None else ""
    return (
        Heading(1, model.study.title),
        Paragraph(f"Claimed in: {model.study.paper.citation}"),
        _answer(model),
        *((Paragraph(gpu),) if gpu else ()),
    )


def basis(model: ReportModel) -> tuple[Block, ...]:
    """Return claim by claim what was found, on what it rests, and how to repeat it."""
    return (
        *claims.claims(model, _checks(model)),
        *_replacements(model),
        Command(model.header.command, "To repeat this session:"),
        Paragraph(_session(model)),
        *_next(model),
    )


def same_work(model: ReportModel) -> tuple[Block, ...]:
    """Return every check, passed or failed, and the libraries that only one arm maps."""
    return tuple(block for part in model.variants for block in _variant(part, model.several))


def _answer(model: ReportModel) -> Answer:
    lead, study = model.lead, model.study
    word = Strong("NO CLAIM", Tone.OPEN) if lead is None else claims.verdict_text(lead)
    form = Form.GAIN if lead is None else model.form_of(lead)
    sentence = answer(lead, study.baseline, study.contender, model.several, form)
    return Answer(word, sentence, " ".join(filter(None, (_tally(model), _indicative(model)))))


def _tally(model: ReportModel) -> str:
    """Return how many claims have each word, most frequent first; empty for one claim."""
    every: list[AnyVerdict] = [*model.verdicts, *model.judged.training, *model.judged.executable]
    words = Counter(verdict.word.lower() for verdict in every)
    if len(every) < 2:
        return ""
    counts = ", ".join(f"{count} {word}" for word, count in words.most_common())
    return f"Of {len(every)} {'verdicts' if model.several else 'claims'}: {counts}."


def _indicative(model: ReportModel) -> str:
    """Return what makes the verdicts indicative; empty if they are not."""
    if not model.substitutes:
        return ""
    return f"Only indicative, because not as published: {', '.join(model.substitutes)}."


def _checks(model: ReportModel) -> tuple[Fold, ...]:
    """Return the results on which every verdict depends: same work and controls."""
    work = [part.comparison.same_work for part in model.variants]
    applicable = [each for each in work if each.applicable]
    done = bool(applicable) and all(each.held for each in applicable)
    state = "passed" if done else "FAILED" if applicable else "not applicable"
    tone = Tone.GOOD if done else Tone.BAD if applicable else Tone.OPEN
    found = Fold(f"Same work: {state}", same_work(model), tone)
    if not model.controls_line:
        return (found,)
    controls = [control for part in model.variants for control in part.comparison.controls]
    runs = (Paragraph(model.controls_line), *checks.control_runs(model))
    return found, Fold(*_controls(controls, runs))


def _controls(
    controls: Sequence[Control], runs: tuple[Block, ...]
) -> tuple[str, tuple[Block, ...], Tone]:
    """Return the summary of the controls, what is below it, and its tone."""
    broken = failing(controls)
    if not controls:
        return "Controls: none", runs, Tone.OPEN
    if not broken:
        return "Controls: passed", runs, Tone.GOOD
    if all(control.is_open for control in broken):
        return "Controls: open", runs, Tone.OPEN
    return "Controls: FAILED", runs, Tone.BAD


def _replacements(model: ReportModel) -> tuple[Block, ...]:
    """Return what was used in place of the publication's components."""
    others = [row for row in model.header.fidelity if not row.exact]
    items = [Replaced(row.name, row.wanted, row.got, _tone(row.name, model)) for row in others]
    named = {row.name for row in others}
    wanted = model.study.paper.environment
    items += [
        Replaced(name, wanted.get(name, "as published"), "not recorded", Tone.BAD)
        for name in model.substitutes
        if name not in named
    ]
    if not items:
        return (Paragraph("Substitutes: none."),)
    label = "Substitutes, as published → used here:"
    if model.substitutes:
        label = "Substitutes, as published → used here (marked: verdicts depend on them):"
    return (Replacements(label, tuple(items)),)


def _tone(name: str, model: ReportModel) -> Tone | None:
    return Tone.BAD if name in model.substitutes else None


def _next(model: ReportModel) -> tuple[Paragraph, ...]:
    """Return a sentence with the command that would settle more; nothing if all is settled."""
    step = next_step(model)
    return () if step is None else (Paragraph(("Next: ", Code(step.command), f" {step.purpose}.")),)


def _next_to_type(model: ReportModel) -> tuple[Command, ...]:
    """Return the same for a terminal, with the command on a line that is copied whole."""
    step = next_step(model)
    return () if step is None else (Command(step.command, f"Next: this command {step.purpose}."),)


def _session(model: ReportModel) -> Text:
    header = model.header
    made: Text = (
        "Session ", Code(header.session_id), f", {header.created}, kit {header.kit_version}."
    )  # fmt: skip
    return joined((made, *basis_lines(model)), " ")


def show(model: ReportModel, console: Console) -> None:
    """Print the head of a report: verdict, same work, controls, claims, substitutes, failures."""
    terminal.show(head(model), console)


def head(model: ReportModel) -> tuple[terminal.Shown, ...]:
    """Return the head of a report, which ``show`` prints, as blocks."""
    rows = tuple(_rows(model))
    header = ("claim", "published", "measured gain [95 % CI]", "verdict")
    table = Table(header, rows) if rows else Paragraph("The study has no measured claims.")
    notes = (
        substitutes_line(model),
        _left_out(model),
        model.gpu.flag_line if model.gpu is not None else "",
    )
    return (
        Heading(1, model.study.title),
        Paragraph(Strong(model.headline)),
        List(tuple(status_lines(model))),
        table,
        *(Paragraph(note) for note in notes if note),
        *_next_to_type(model),
    )


def _variant(part: VariantReport, several: bool) -> tuple[Block, ...]:
    work = part.comparison.same_work
    rows: tuple[tuple[Text, ...], ...] = tuple(
        (check.name, "passed" if check.held else Strong("FAILED", Tone.BAD), detail(check))
        for check in work.checks
    )
    own = tuple(
        (f"{arm}: ", *joined(map(Code, paths))) for arm, paths in sorted(work.own_libraries.items())
    )
    line = f"{part.variant}: {part.same_work_line}" if several else part.same_work_line
    named = (Paragraph(line),) if several or not (work.applicable and work.held) else ()
    table = (Table(("check", "result", "detail"), rows, PROSE_LIMIT),) if rows else ()
    fold = (
        (Fold("Libraries that only one arm maps (those of its runtime)", (List(own),)),)
        if own
        else ()
    )
    return *named, *table, *fold


def _rows(model: ReportModel) -> list[tuple[Text, ...]]:
    def row(
        verdict: AnyVerdict, what: str, variant: str = "", published: str = NONE, here: str = NONE
    ) -> tuple[Text, ...]:
        name = f"{verdict.claim.id} {what}" + (f" {variant}" if model.several and variant else "")
        return (name, published, here, claims.verdict_text(verdict))

    rows = [
        row(
            v,
            v.claim.statistic,
            v.variant,
            claimed_short(v.claim, model.form_of(v)),
            format_gain(v.measured, model.form_of(v)),
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
