"""What was measured: claims, published against measured, noise, training, cost."""

from __future__ import annotations

from collections.abc import Mapping

from kit.judge.controls import single_pair_log
from kit.judge.effects import Form, equal_text, form_of, gain_of, log_of, size_text
from kit.judge.executable import ExecutableVerdict
from kit.judge.training import TrainingVerdict
from kit.judge.verdict import Verdict
from kit.plan.roles import PLACEBO
from kit.report.model import PublishedRow, ReportModel, VariantReport
from kit.report.numbers import (
    NONE,
    UNDETERMINED,
    UNDETERMINED_MEANS,
    claimed,
    effect,
    fixed,
    gain,
    megabytes,
    ratio,
    seconds,
)
from kit.report.tables import table
from kit.report.text import inline
from kit.study.model import lead_claim

_UNITS = (
    "The unit of replication is the run, one container. The fits of one process share its memory "
    "layout, its caches and its moment on the host, so they are one sample however many they are; "
    "an interval over fits would be far too narrow. Each block holds one run of either arm, in "
    "random order, so that drift of the host hits both alike. Intervals are paired t intervals "
    "over blocks on the logarithm of the ratio."
)
_GAIN = (
    "A gain is 100 * ({baseline} - {contender}) / {baseline}: plus means that {contender} is "
    "faster. From a factor of two on effects are given as factors: 6.7x faster is a gain of 85 %. "
    "Brackets hold the 95 % interval. Hardened: the median fit of a run without its cold first "
    "one, the same for every claim and not judged. A claim is judged on its own statistic; "
    "effects {equal} count as equal."
)
_NAMES: Mapping[str, str] = {
    "hardened": "median without cold fit",
    "cpu": "CPU seconds, median without cold fit",
    "cold": "cold first fit",
}


def claims(model: ReportModel) -> str:
    """The claims table, with the rule that fired for each."""
    several = len(model.variants) > 1

    def of_variant(verdict: Verdict | TrainingVerdict) -> str:
        return verdict.claim.id + (f" {verdict.variant}" if several else "")

    rows = [
        _claim_row(
            v,
            of_variant(v),
            _paper(v, model.form_of(v)),
            gain(v.measured, model.form_of(v)),
            gain(v.hardened, model.form_of(v)),
        )
        for v in model.verdicts
    ]
    rows += [_claim_row(v, of_variant(v)) for v in model.judged.training]
    rows += [_claim_row(v, v.claim.id) for v in model.judged.executable]
    headers = ["id", "claim", "paper", "measured gain", "hardened gain", "verdict", "why"]
    named = _GAIN.format(
        baseline=inline(model.study.baseline),
        contender=inline(model.study.contender),
        equal=_equal(model),
    )
    if any(UNDETERMINED in (row[3], row[4]) for row in rows):
        named += f" {UNDETERMINED.capitalize()}: {UNDETERMINED_MEANS}, so nothing can be said."
    return f"{table(headers, rows)}\n\n{named}"


def _paper(verdict: Verdict, form: Form) -> str:
    """The claim's gain, and in brackets what the figures say of the same."""
    text = claimed(verdict.claim.published_gain_percent, form)
    figures = f"figures: {effect(verdict.figures_gain_percent, form)})"
    return f"{text[:-1]}; {figures}" if text.endswith(")") else f"{text} ({figures}"


def _equal(model: ReportModel) -> str:
    """Within what effects count as equal, in the form or forms of the report."""
    forms = dict.fromkeys(part.form for part in model.variants) or {Form.GAIN: None}
    return " or ".join(map(equal_text, forms))


def _claim_row(
    verdict: Verdict | TrainingVerdict | ExecutableVerdict,
    name: str,
    paper: str = NONE,
    measured: str = NONE,
    hardened: str = NONE,
) -> list[str]:
    """One claim, judged; the numbers are there for a claim on times."""
    return [
        inline(name),
        inline(f"{verdict.claim.statement} ({verdict.claim.where})"),
        paper,
        measured,
        hardened,
        f"**{inline(verdict.printed)}**",
        inline(verdict.rule, 600),
    ]


def published(model: ReportModel) -> str:
    """The paper's four numbers beside the same four measured here."""
    return "\n\n".join(_published(model, part) for part in model.variants if part.planned)


def _published(model: ReportModel, part: VariantReport) -> str:
    pair = part.comparison.pair
    figures = model.study.paper.figures
    heads = [
        inline(f"{stack}, {figures[stack].where} (s)")
        if stack in figures
        else inline(f"{stack}, paper (s)")
        for stack in (model.study.baseline, model.study.contender)
    ]
    headers = [
        "of a run's fits",
        *heads,
        "paper's gain: figures / text",
        f"{inline(pair.baseline or model.study.baseline)} here (s)",
        f"{inline(pair.contender or model.study.contender)} here (s)",
        f"ratio {_ratio_name(model)}",
        "measured gain",
    ]
    rows = [_published_row(row, model, part.form) for row in part.rows]
    blocks = len(part.comparison.blocks)
    note = (
        f"Measured seconds are means over the runs of {blocks} complete "
        f"block{'s' if blocks != 1 else ''}."
        if blocks
        else "No block is complete: measured seconds are means over all usable runs of an arm."
    )
    return (
        f"{table(headers, rows, 'lrrrrrrr')}\n\n{note} The paper's total is of "
        f"{model.study.protocol.published_repeats} fits, a run here had {_fits(model)}: "
        "compare the totals' gains only, not their seconds."
        f"{_one_session(part, model)}"
    )


def _one_session(part: VariantReport, model: ReportModel) -> str:
    """Why the published protocol, one run of each stack, decides or does not."""
    placebo = next((c for c in part.comparison.controls if c.role == PLACEBO), None)
    claim = lead_claim(model.study.claims)
    if placebo is None or claim is None:
        return ""
    estimate = placebo.estimates[claim.statistic]
    off = single_pair_log(estimate)
    if off is None or estimate.sd_log is None:
        return ""
    size = claim.published_gain_percent
    can = "cannot" if off >= abs(log_of(size)) else "could"
    # Of the two the larger decides in which form they can be compared.
    form = form_of([gain_of(off)]) if part.form is Form.GAIN else part.form
    name = inline(_NAMES.get(claim.statistic, claim.statistic))
    return (
        f"\n\nThe protocol as published is one run of each stack. Here {inline(placebo.arm)} was "
        f"run against itself {estimate.pairs} times: the SD of the log ratio of its "
        f"{name} fits is {fixed(estimate.sd_log, 4)}, so one such pair of equal programs lies up "
        f"to {size_text(off, size, form)} apart in 95 of 100 cases. One session of the published "
        f"protocol {can} tell {claimed(size, form)} from nothing here."
    )


def _published_row(row: PublishedRow, model: ReportModel, form: Form) -> list[str]:
    name = _NAMES.get(row.statistic, row.statistic)
    if row.statistic == "total":
        name = f"total (here of {_fits(model)} fits)"
    paper = f"{effect(row.figures_gain_percent, form)} / {effect(row.text_gain_percent, form)}"
    return [
        name,
        seconds(row.paper_baseline),
        seconds(row.paper_contender),
        paper if row.figures_gain_percent is not None else NONE,
        seconds(row.baseline),
        seconds(row.contender),
        ratio(row.estimate),
        gain(row.estimate, form),
    ]


def _fits(model: ReportModel) -> str:
    counts = sorted({run.fits for run in model.judged.main})
    if not counts:
        return str(model.header.plan.repeats)
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def noise(model: ReportModel) -> str:
    """How far the ratio moved from block to block, and why blocks are what counts."""
    rows = []
    for part in (part for part in model.variants if part.planned):
        for name in ("mean", "hardened", "cpu"):
            estimate = part.comparison.estimates[name]
            rows.append(
                [
                    inline(part.variant),
                    _NAMES.get(name, name),
                    str(estimate.pairs),
                    fixed(estimate.sd_log, 4),
                    NONE if estimate.sd_log is None else size_text(estimate.sd_log, 0, part.form),
                    ratio(estimate),
                    inline(estimate.note) or NONE,
                ]
            )
    headers = ["variant", "statistic", "blocks", "SD of log ratio", "spread", "ratio", "note"]
    return (
        f"{table(headers, rows, 'llrrrr')}\n\nSpread is how far the ratio of one block typically "
        "lies from their average by noise alone; an effect well below it needs many blocks. "
        f"{_UNITS}"
    )


def training(model: ReportModel) -> str:
    """Last-epoch loss and accuracy against the figures' ranges."""
    rows = []
    for row in model.trained:
        rows.append(
            [
                inline(row.arm),
                inline(row.quantity),
                f"{fixed(row.paper.low, 4)} to {fixed(row.paper.high, 4)}",
                NONE if row.low is None else f"{fixed(row.low, 4)} to {fixed(row.high, 4)}",
                seconds(row.mean),
                f"{row.inside} of {row.fits}",
                row.word + (f", {row.left_out} not usable" if row.left_out else ""),
            ]
        )
    headers = ["arm", "last epoch", "paper", "here", "mean here", "fits in range", "range here is"]
    text = table(headers, rows, "lllrrr")
    return f"{text}\n\n{inline(model.trained_remark, 600)}" if model.trained_remark else text


def cost(model: ReportModel) -> str:
    """CPU seconds, faults and memory beside wall time."""
    rows = [
        [
            inline(row.arm),
            str(row.runs),
            seconds(row.wall_s),
            seconds(row.user_s),
            seconds(row.system_s),
            fixed(row.minor_faults),
            megabytes(row.rss_growth_bytes),
            megabytes(row.rss_peak_bytes),
            NONE if row.clock_gap_s is None else fixed(1000 * row.clock_gap_s, 3),
        ]
        for row in model.costs
    ]
    headers = [
        "arm", "runs", "wall (s)", "user CPU (s)", "system CPU (s)", "minor faults",
        "RSS growth a fit (MB)", "RSS peak (MB)", "paper's clock off by at most (ms)",
    ]  # fmt: skip
    lines = [table(headers, rows, "lrrrrrrrr")]
    lines.append(
        "A run's median fit without the cold one, averaged over all usable runs. RSS growth "
        "counts memory kept from one fit to the next; the last column is the "
        "paper's clock against the monotonic one used here."
    )
    for part in model.variants:
        estimate = part.comparison.estimates["cpu"]
        if estimate.ratio is not None:
            lines.append(
                f"CPU seconds (user + system) a fit, {inline(part.variant)}: ratio "
                f"{_ratio_name(model)} {ratio(estimate)}, gain {gain(estimate, part.form)}. "
                "Claims are "
                "judged on wall time, as the paper's are."
            )
    return "\n\n".join(lines)


def cold(model: ReportModel) -> str:
    """The first fit of a process, apart: it pays for imports, tracing and warm-up."""
    rows = []
    for part in model.variants:
        rows += [[inline(arm), seconds(value)] for arm, value in part.cold.items()]
    lines = [table(["arm", "cold first fit, mean over runs (s)"], rows, "lr")]
    for part in model.variants:
        estimate = part.comparison.estimates["cold"]
        if estimate.ratio is not None:
            lines.append(
                f"Cold fit, {inline(part.variant)}: ratio {_ratio_name(model)} {ratio(estimate)}, "
                f"gain {gain(estimate, part.form)}."
            )
    lines.append(
        "As-published numbers include the cold fit: the paper's once in "
        f"{model.study.protocol.published_repeats}, these once in a run's {_fits(model)}."
    )
    return "\n\n".join(lines)


def _ratio_name(model: ReportModel) -> str:
    return f"{inline(model.study.baseline)}/{inline(model.study.contender)}"
