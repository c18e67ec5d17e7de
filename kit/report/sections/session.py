"""The sections on the session: interference, failures, plan, command, raw measurements."""

from __future__ import annotations

from kit.plan.model import TIMED, PlannedRun
from kit.plan.roles import MAIN, role_of
from kit.records.record import Fit
from kit.report.conditions import WATCHED, excluded, notes
from kit.report.document import Block, Code, CodeBlock, Fold, List, Paragraph, Table, Text, facts
from kit.report.looks import blocks_text, course_facts, estimate_texts
from kit.report.model import Course, Failure, RawRun, ReportModel
from kit.report.numbers import NONE, Form, format_megabytes, format_seconds
from kit.report.sample_size import pilot_lines

_LIMIT = 400
_LOOKS = (
    "The looks at the lead claim, with its repeated interval. A word at a look is what the claim "
    "would be called if the session had ended there; it is not the verdict."
)


def interference(model: ReportModel) -> tuple[Block, ...]:
    """Return the rules of disturbances, and every disturbed run."""
    flagged = tuple((Code(run.run_id), "; ".join(run.flags)) for run in model.raw if run.flags)
    found = "No timed run was disturbed."
    if flagged:
        found = f"{len(flagged)} of {len(model.raw)} timed runs were disturbed; they still count."
    machines = {run.machine for run in model.raw}
    several = f" The runs were made on {len(machines)} machines." if len(machines) > 1 else ""
    rules = "; ".join(WATCHED.values())
    note = Paragraph(f"{found} Watched: {rules}.{several}")
    return (note, Table(("run", "interference"), flagged, _LIMIT)) if flagged else (note,)


def left_out(model: ReportModel) -> tuple[Block, ...]:
    """Return failed runs with the end of their output, exclusions, and notes."""
    rows = tuple(
        (str(e.block) if e.block >= 0 else NONE, e.arm, Code(e.run_id), e.reason)
        for e in excluded(model.judged.exclusions)
    )
    lines = notes(model.header, model.torn)
    blocks: tuple[Block, ...] = _failed(model.failures)
    if rows:
        table = Table(("block", "arm", "run", "reason"), rows)
        blocks = *blocks, Paragraph("Excluded from the comparison:"), table
    if lines:
        blocks = *blocks, Paragraph("Notes:"), List(lines)
    return blocks or (Paragraph("No run failed or was excluded."),)


def _failed(failures: tuple[Failure, ...]) -> tuple[Block, ...]:
    if not failures:
        return ()
    rows: tuple[tuple[Text, ...], ...] = tuple(
        (
            Code(f.run_id),
            f.arm,
            f.kind,
            str(f.exit_code),
            f.failure,
            "yes" if f.recovered else "no",
        )
        for f in failures
    )
    header = ("run", "arm", "kind", "exit code", "failure", "repeated with success")
    outputs = (
        Fold(f"End of the output of {f.run_id}", (CodeBlock(f.log_tail),))
        for f in failures
        if f.log_tail.strip()
    )
    return Paragraph("Failed runs:"), Table(header, rows), *outputs


def plan(model: ReportModel) -> tuple[Block, ...]:
    """Return the settings of the plan, the pilot's result, the looks, and the order of the runs.

    The order is that of all planned blocks, but of a group-sequential session only of those made,
    with those of its pilot.
    """
    planned, course = model.header.plan, model.course
    timed = [run for run in planned.runs if run.kind == TIMED]
    if course is not None:
        timed = [run for run in timed if run.block < planned.first_judged + course.blocks]
    order = tuple(
        (str(number), ", ".join(_planned(run) for run in timed if run.block == number))
        for number in sorted({run.block for run in timed})
    )
    ended = planned.pilot and planned.blocks  # a plan has no judged blocks before its pilot's end
    pilot = (List(pilot_lines(model.outlook, planned.stopping is not None)),) if ended else ()
    table = (Table(("block", "order of its runs"), order, _LIMIT),) if order else ()
    looks = _looks(model, course) if course is not None else ()
    return facts(_settings(model)), *pilot, *looks, *table


def _looks(model: ReportModel, course: Course) -> tuple[Block, ...]:
    """Return the table of looks; nothing before the first."""
    forms = {part.variant: part.form for part in model.variants}
    rows = tuple(
        (
            str(found.blocks),
            f"{at.claim} {at.variant}",
            str(at.pairs),
            *estimate_texts(at, forms.get(at.variant, Form.GAIN)),
            at.word,
        )
        for found in course.looks
        for at in found.lead
    )
    if not rows:
        return ()
    header = (
        "blocks",
        "claim",
        "pairs",
        "gain",
        "repeated 95 % interval",
        "word then (not the verdict)",
    )
    return Paragraph(_LOOKS), Table(header, rows, _LIMIT)


def _settings(model: ReportModel) -> tuple[tuple[str, str], ...]:
    planned, shard, course = model.header.plan, model.header.shard, model.course
    return (
        ("tier", planned.tier),
        *((("shard", f"{shard}: only its blocks are here"),) if shard else ()),
        ("design", planned.design),
        ("blocks", blocks_text(planned, course)),
        *(course_facts(course) if course is not None else ()),
        ("runs of a block", ", ".join(f"{r} ({role_of(r).description})" for r in planned.roles)),
        ("fits per run", str(planned.repeats)),
        ("seed of the order", str(planned.seed)),
        ("plan", f"sha256 {model.header.plan_sha256}"),
        ("study", f"{planned.study_id}, sha256 {planned.study_sha256}"),
    )


def _planned(run: PlannedRun) -> str:
    name = run.arm if run.role == MAIN else f"{run.arm} {run.role}"
    return name if run.pair is None else f"{name} (pair {run.pair}, CPUs {run.cpuset})"


def raw(model: ReportModel) -> tuple[Block, ...]:
    """Return every fit of every timed run, folded."""
    header = (
        "block", "pos.", "arm", "role", "run", "counted", "fit", "wall (s)", "paper's clock (s)",
        "user (s)", "system (s)", "minor faults", "RSS before (MB)", "RSS after (MB)",
        "last loss", "last accuracy",
    )  # fmt: skip
    rows = tuple(_fit(run, fit) for run in model.raw for fit in run.fits)
    if not rows:
        return ()
    return (Fold(f"{len(rows)} fits of {len(model.raw)} timed runs", (Table(header, rows),)),)


def _fit(run: RawRun, fit: Fit) -> tuple[str, ...]:
    return (
        str(run.block),
        str(run.position),
        run.arm,
        run.role,
        run.run_id,
        "yes" if run.counted else "no",
        str(fit.index),
        format_seconds(fit.wall_ns / 1e9, 9),
        format_seconds(fit.paper_clock_s, 7),
        format_seconds(fit.user_ns / 1e9, 3),
        format_seconds(fit.system_ns / 1e9, 3),
        str(fit.minor_faults),
        format_megabytes(fit.rss_before_bytes),
        format_megabytes(fit.rss_after_bytes),
        format_seconds(fit.losses[-1] if fit.losses else None, 6),
        format_seconds(fit.accuracies[-1] if fit.accuracies else None, 6),
    )
