"""The sections on the samples of the runs: noise, training, cost, the cold first fit."""

from __future__ import annotations

from kit.judge.cost import FitCost
from kit.judge.training import Trained
from kit.report.document import Block, Paragraph, Table
from kit.report.effects import size_text
from kit.report.left_out import estimate_note
from kit.report.model import ReportModel, VariantReport
from kit.report.numbers import NONE, fixed, gain, megabytes, ratio, seconds
from kit.report.sections.published import NAMES, fits_text, ratio_name

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


def noise(model: ReportModel) -> tuple[Block, ...]:
    """Return the spread of the ratio between blocks, and why the run is the unit."""
    rows = tuple(
        row for part in model.variants if part.planned for row in _spreads(part)
    )  # fmt: skip
    if not rows:
        return ()
    header = ("variant", "statistic", "blocks", "SD of log ratio", "spread", "ratio", "note")
    return Table(header, rows), *map(Paragraph, _NOISE)


def _spreads(part: VariantReport) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name in ("mean", "hardened", "cpu"):
        estimate = part.comparison.estimates[name]
        sd = estimate.sd_log
        found.append(
            (
                part.variant,
                NAMES.get(name, name),
                str(estimate.pairs),
                fixed(sd, 4),
                NONE if sd is None else size_text(sd, 0, part.form),
                ratio(estimate),
                estimate_note(estimate) or NONE,
            )
        )
    return found


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


def _trained(row: Trained) -> tuple[str, ...]:
    return (
        row.arm,
        row.quantity,
        f"{fixed(row.paper.low, 4)} to {fixed(row.paper.high, 4)}",
        NONE if row.low is None else f"{fixed(row.low, 4)} to {fixed(row.high, 4)}",
        seconds(row.mean),
        f"{row.inside} of {row.fits}",
        row.word + (f", {row.left_out} not usable" if row.left_out else ""),
    )


def cost(model: ReportModel) -> tuple[Block, ...]:
    """Return CPU seconds, faults and memory next to wall time."""
    if not model.costs:
        return ()
    header = (
        "arm", "runs", "wall (s)", "user CPU (s)", "system CPU (s)", "minor faults",
        "RSS growth per fit (MB)", "RSS peak (MB)", "max. error of the published clock (ms)",
    )  # fmt: skip
    lines = [
        f"CPU seconds (user + system) per fit, {part.variant}: ratio {ratio_name(model)} "
        f"{ratio(estimate)}, gain {gain(estimate, part.form)}. kit judges claims by wall time, "
        "as the publication does."
        for part in model.variants
        if (estimate := part.comparison.estimates["cpu"]).ratio is not None
    ]
    return Table(header, tuple(map(_cost, model.costs))), *map(Paragraph, (_COST, *lines))


def _cost(row: FitCost) -> tuple[str, ...]:
    return (
        row.arm,
        str(row.runs),
        seconds(row.wall_s),
        seconds(row.user_s),
        seconds(row.system_s),
        fixed(row.minor_faults),
        megabytes(row.rss_growth_bytes),
        megabytes(row.rss_peak_bytes),
        NONE if row.clock_gap_s is None else fixed(1000 * row.clock_gap_s, 3),
    )


def cold(model: ReportModel) -> tuple[Block, ...]:
    """Return the first fit of a process, which includes imports, tracing and warm-up."""
    rows = tuple(
        (arm, seconds(value)) for part in model.variants for arm, value in part.cold.items()
    )
    if not rows:
        return ()
    lines = [
        f"Cold first fit, {part.variant}: ratio {ratio_name(model)} {ratio(estimate)}, gain "
        f"{gain(estimate, part.form)}."
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
