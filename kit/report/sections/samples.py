"""The sections on the numbers of the runs: published and measured, noise, training, cost, hosts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from kit.judge.controls import single_pair_log
from kit.judge.cost import ResourceUsage
from kit.judge.effects import gain_of, log_of
from kit.judge.training import TrainingResult
from kit.plan.roles import PLACEBO
from kit.report.conditions import estimate_note
from kit.report.document import Block, Code, Paragraph, Table, Text, either
from kit.report.headline import claimed_short
from kit.report.model import PublishedRow, ReportModel, VariantReport
from kit.report.numbers import (
    NONE,
    Form,
    form_of,
    format_claimed,
    format_effect,
    format_gain,
    format_megabytes,
    format_number,
    format_ratio,
    format_seconds,
    p_value,
    size_text,
)
from kit.study.model import lead_claim

NAMES: Mapping[str, str] = {
    "warm_median": "warm median",
    "cpu": "CPU seconds, warm median",
    "cold": "cold first fit",
}
"""Names in reports of statistics that have another name in files."""
_REMARK_LIMIT = 600
_NOISE = (
    "Spread: the typical deviation of the ratio of one block from the average due to noise. "
    "Effects much smaller than the spread need many blocks.",
    "The unit of replication is the run: one container. The fits of one run share memory layout, "
    "caches and the state of the host and are not independent, so an interval over fits would be "
    "far too narrow. Each block holds one run of each arm in random order, so that drift of the "
    "host affects both arms equally. Intervals are paired t intervals over blocks on the "
    "logarithm of the ratio.",
)
_COST = (
    "Warm median of each run, averaged over all usable runs. RSS growth is the memory that a "
    "process keeps from one fit to the next. The last column compares the clock of the "
    "publication with the monotonic clock that kit uses."
)
_NOTE = (
    "Each block ran on one host. Machines with the same CPU, memory and kernel count as one host. "
    "Homogeneity: p value of Welch's one-way test that all hosts have the same mean. A small p "
    "means that the hosts differ: the interval over all blocks then describes this mixture of "
    "hosts and not each host."
)


def published(model: ReportModel) -> tuple[Block, ...]:
    """Return a table of published and measured seconds, with its notes, for each variant."""
    blocks: list[Block] = []
    for part in (part for part in model.variants if part.planned):
        rows = tuple(_row(row, model, part.form) for row in part.rows)
        blocks += [Table(_header(model, part), rows), Paragraph(_note(model, part))]
        blocks += _one_session(model, part)
    return tuple(blocks)


def fits_text(model: ReportModel) -> str:
    """Return how many fits the runs had, as text: "5", or "3 to 5"."""
    counts = sorted({run.fits for run in model.judged.main_runs})
    if not counts:
        return str(model.header.plan.repeats)
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def ratio_name(model: ReportModel) -> str:
    """Return the name of the ratio of times, "baseline/contender" with the study's names."""
    return f"{model.study.baseline}/{model.study.contender}"


def noise(model: ReportModel) -> tuple[Block, ...]:
    """Return the spread of the ratio between blocks, and why the run is the unit."""
    rows = tuple(
        row for part in model.variants if part.planned for row in _spreads(part)
    )  # fmt: skip
    if not rows:
        return ()
    header = ("variant", "statistic", "blocks", "SD of log ratio", "spread", "ratio", "note")
    return Table(header, rows), *map(Paragraph, _NOISE)


def training(model: ReportModel) -> tuple[Block, ...]:
    """Return last-epoch loss and accuracy against the published ranges."""
    if not model.trained:
        return ()
    header = (
        "arm", "last epoch", "published range", "measured range", "measured mean",
        "fits in range", "vs. published range",
    )  # fmt: skip
    table = Table(header, tuple(map(_trained, model.trained)), _REMARK_LIMIT)
    return (table, Paragraph(model.trained_remark)) if model.trained_remark else (table,)


def cost(model: ReportModel) -> tuple[Block, ...]:
    """Return a table of each arm's CPU seconds, page faults and memory per fit."""
    if not model.costs:
        return ()
    header = (
        "arm", "runs", "wall (s)", "user CPU (s)", "system CPU (s)", "minor faults",
        "RSS growth per fit (MB)", "RSS peak (MB)", "max. error of the published clock (ms)",
    )  # fmt: skip
    lines = [
        f"CPU seconds (user + system) per fit, {part.variant}: ratio {ratio_name(model)} "
        f"{format_ratio(estimate)}, gain {format_gain(estimate, part.form)}. kit judges claims by "
        "wall time, as the publication does."
        for part in model.variants
        if (estimate := part.comparison.estimates["cpu"]).ratio is not None
    ]
    return Table(header, tuple(map(_cost, model.costs))), *map(Paragraph, (_COST, *lines))


def cold(model: ReportModel) -> tuple[Block, ...]:
    """Return the mean seconds of each arm's cold fits, the first ones, and their ratio."""
    rows = tuple(
        (arm, format_seconds(value)) for part in model.variants for arm, value in part.cold.items()
    )
    if not rows:
        return ()
    lines = [
        f"Cold first fit, {part.variant}: ratio {ratio_name(model)} {format_ratio(estimate)}, gain "
        f"{format_gain(estimate, part.form)}."
        for part in model.variants
        if (estimate := part.comparison.estimates["cold"]).ratio is not None
    ]
    note = (
        "As in the publication, the judged statistics include the cold fit: one of "
        f"{model.study.protocol.published_repeats} fits in the publication, one of "
        f"{fits_text(model)} per run in this session."
    )
    table = Table(("arm", "cold fit, mean over runs (s)"), rows)
    return table, *map(Paragraph, (*lines, note))


def hosts(model: ReportModel) -> tuple[Block, ...]:
    """Return the gain of each host by claim; empty if all blocks ran on one host."""
    return tuple(
        block
        for part in model.variants
        if part.comparison.hosts.parts
        for block in _variant(part, len(model.variants) > 1)
    )


def _header(model: ReportModel, part: VariantReport) -> tuple[str, ...]:
    study, pair = model.study, part.comparison.pair
    figures = study.paper.figures
    where = {stack: figures[stack].where if stack in figures else "published"
             for stack in (study.baseline, study.contender)}  # fmt: skip
    return (
        "statistic of a run",
        *(f"{stack}, {place} (s)" for stack, place in where.items()),
        "published gain: figures / text",
        f"{pair.baseline or study.baseline}, measured (s)",
        f"{pair.contender or study.contender}, measured (s)",
        f"ratio {ratio_name(model)}",
        "measured gain",
    )


def _row(row: PublishedRow, model: ReportModel, form: Form) -> tuple[Text, ...]:
    name = NAMES.get(row.statistic, row.statistic)
    if row.statistic == "total":
        name = f"total (measured: {fits_text(model)} fits)"
    gains_claimed = dict.fromkeys(claimed_short(claim, form) for claim in row.claims)
    gains = f"{format_effect(row.figures_gain_percent, form)} / {', '.join(gains_claimed) or NONE}"
    return (
        name,
        format_seconds(row.paper_baseline),
        format_seconds(row.paper_contender),
        gains if row.figures_gain_percent is not None else NONE,
        format_seconds(row.baseline),
        format_seconds(row.contender),
        format_ratio(row.estimate),
        either(partial(format_gain, row.estimate), form),
    )


def _note(model: ReportModel, part: VariantReport) -> str:
    blocks = len(part.comparison.blocks)
    measured = "No block is complete: measured seconds are means over all usable runs of each arm."
    if blocks:
        measured = (
            f"Measured seconds are means over the runs of {blocks} complete "
            f"block{'s' if blocks != 1 else ''}."
        )
    return (
        f"{measured} The published total covers {model.study.protocol.published_repeats} fits, a "
        f"run of this session {fits_text(model)}: compare the gains of the totals, not the seconds."
    )


def _one_session(model: ReportModel, part: VariantReport) -> tuple[Paragraph, ...]:
    """Return whether the published protocol, one run per stack, could decide the claim here.

    Empty without a placebo that has a spread, or without a claim.
    """
    placebo = next((c for c in part.comparison.controls if c.role == PLACEBO), None)
    claim = lead_claim(model.study.claims)
    if placebo is None or claim is None:
        return ()
    estimate = placebo.estimates[claim.statistic]
    off = single_pair_log(estimate)
    if off is None or estimate.sd_log is None:
        return ()
    margin = claim.equal_within_percent
    size = claim.published_gain_percent if margin is None else -margin
    can = "cannot" if off >= abs(log_of(size)) else "could"
    # The larger of the two decides the form in which they can be compared.
    form = form_of([gain_of(off)]) if part.form is Form.GAIN else part.form
    return (
        Paragraph(
            (
                "The published protocol has one run per stack. In this session ",
                placebo.arm,
                f" ran against itself {estimate.pairs} times. The SD of the log ratio of the ",
                NAMES.get(claim.statistic, claim.statistic),
                f" is {format_number(estimate.sd_log, 4)}: two runs of the same program differ by "
                f"up to {size_text(off, size, form)} in 95 of 100 pairs. On this host, one session "
                f"of the published protocol {can} distinguish {format_claimed(size, form)} from no "
                "difference.",
            )
        ),
    )


def _spreads(part: VariantReport) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name in ("mean", "warm_median", "cpu"):
        estimate = part.comparison.estimates[name]
        sd = estimate.sd_log
        found.append(
            (
                part.variant,
                NAMES.get(name, name),
                str(estimate.pairs),
                format_number(sd, 4),
                NONE if sd is None else size_text(sd, 0, part.form),
                format_ratio(estimate),
                estimate_note(estimate) or NONE,
            )
        )
    return found


def _trained(row: TrainingResult) -> tuple[str, ...]:
    return (
        row.arm,
        row.quantity,
        f"{format_number(row.paper.low, 4)} to {format_number(row.paper.high, 4)}",
        NONE if row.low is None else f"{format_number(row.low, 4)} to {format_number(row.high, 4)}",
        format_seconds(row.mean),
        f"{row.inside} of {row.fits}",
        row.word + (f", {row.left_out} not usable" if row.left_out else ""),
    )


def _cost(row: ResourceUsage) -> tuple[str, ...]:
    return (
        row.arm,
        str(row.runs),
        format_seconds(row.wall_s),
        format_seconds(row.user_s),
        format_seconds(row.system_s),
        format_number(row.minor_faults),
        format_megabytes(row.rss_growth_bytes),
        format_megabytes(row.rss_peak_bytes),
        NONE if row.clock_gap_s is None else format_number(1000 * row.clock_gap_s, 3),
    )


def _variant(part: VariantReport, several: bool) -> tuple[Block, ...]:
    verdicts, found = part.comparison.verdicts, part.comparison.hosts
    rows: list[tuple[Text, ...]] = [
        (
            f"host {number}",
            Code(own.machine),
            str(len(own.blocks)),
            *(
                either(partial(format_gain, own.estimates[v.claim.statistic]), part.form)
                for v in verdicts
            ),
        )
        for number, own in enumerate(found.parts, start=1)
    ]
    everything = (either(partial(format_gain, v.measured), part.form) for v in verdicts)
    rows.append(("all", "", str(len(part.comparison.blocks)), *everything))
    agreement = (_p(found.agreement[v.claim.statistic]) for v in verdicts)
    rows.append(("homogeneity, p", "", "", *agreement))
    heads = (f"{v.claim.id} {v.claim.statistic}" for v in verdicts)
    table = Table(("host", "machine", "blocks", *heads), tuple(rows))
    named = (Paragraph(f"Variant {part.variant}:"),) if several else ()
    return *named, table, Paragraph(_NOTE)


def _p(value: float | None) -> str:
    return "too few blocks" if value is None else p_value(value)
