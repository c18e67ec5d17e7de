"""The published numbers next to the same numbers measured here."""

from __future__ import annotations

from collections.abc import Mapping

from kit.judge.controls import single_pair_log
from kit.judge.effects import gain_of, log_of
from kit.plan.roles import PLACEBO
from kit.report.document import Block, Paragraph, Table
from kit.report.effects import Form, form_of, size_text
from kit.report.model import PublishedRow, ReportModel, VariantReport
from kit.report.numbers import NONE, claimed, effect, fixed, gain, ratio, seconds
from kit.report.words import claimed_short
from kit.study.model import lead_claim

NAMES: Mapping[str, str] = {
    "hardened": "warm median",
    "cpu": "CPU seconds, warm median",
    "cold": "cold first fit",
}
"""Names in reports of statistics that have another name in files."""


def published(model: ReportModel) -> tuple[Block, ...]:
    """Return a table and its notes for each planned variant."""
    blocks: list[Block] = []
    for part in (part for part in model.variants if part.planned):
        rows = tuple(_row(row, model, part.form) for row in part.rows)
        blocks += [Table(_header(model, part), rows), Paragraph(_note(model, part))]
        blocks += _one_session(model, part)
    return tuple(blocks)


def fits_text(model: ReportModel) -> str:
    """Return how many fits the runs had: "5", or "3 to 5"."""
    counts = sorted({run.fits for run in model.judged.main})
    if not counts:
        return str(model.header.plan.repeats)
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def ratio_name(model: ReportModel) -> str:
    """Return the name of the ratio, "baseline/contender" with the study's names."""
    return f"{model.study.baseline}/{model.study.contender}"


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


def _row(row: PublishedRow, model: ReportModel, form: Form) -> tuple[str, ...]:
    name = NAMES.get(row.statistic, row.statistic)
    if row.statistic == "total":
        name = f"total (measured: {fits_text(model)} fits)"
    gains_claimed = dict.fromkeys(claimed_short(claim, form) for claim in row.claims)
    gains = f"{effect(row.figures_gain_percent, form)} / {', '.join(gains_claimed) or NONE}"
    return (
        name,
        seconds(row.paper_baseline),
        seconds(row.paper_contender),
        gains if row.figures_gain_percent is not None else NONE,
        seconds(row.baseline),
        seconds(row.contender),
        ratio(row.estimate),
        gain(row.estimate, form),
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
                f" is {fixed(estimate.sd_log, 4)}: two runs of the same program differ by up to "
                f"{size_text(off, size, form)} in 95 of 100 pairs. On this host, one session of "
                f"the published protocol {can} distinguish {claimed(size, form)} from no "
                "difference.",
            )
        ),
    )
