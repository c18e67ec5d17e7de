"""Checks next to the verdicts: consistency, controls, the executable, sensitivity."""

from __future__ import annotations

from functools import partial

from kit.judge.controls import Control
from kit.judge.order import OUTLIER_SCORE, Drift
from kit.judge.sensitivity import ALPHA
from kit.judge.verdict import Verdict
from kit.plan.model import DUET
from kit.plan.roles import role_of
from kit.report.document import (
    Block,
    CodeBlock,
    Fold,
    List,
    Paragraph,
    Strong,
    Table,
    Text,
    Tone,
    either,
    facts,
)
from kit.report.findings import arithmetic
from kit.report.model import ReportModel, VariantReport
from kit.report.numbers import (
    NONE,
    Form,
    equal_text,
    format_gain,
    format_megabytes,
    format_score,
    format_trend,
    p_equals,
    p_value,
)
from kit.report.reasons import control_text
from kit.study.model import Direction

_LIMIT = 600
_CONSISTENCY = "Derived from the published numbers alone: no measurement is involved."
_CONTROLS = (
    "Control runs stand in the same blocks as the others, in random order among them. The "
    "interval of the placebo is the noise floor: a smaller gain is not distinguishable from no "
    "difference here. If a control does not hold, every verdict on timed runs is INCONCLUSIVE."
)
_OPEN = (
    "A slowdown that is neither found nor ruled out (not decided) leaves a verdict as it is if it "
    "says that a claimed gain or its opposite was found."
)
_EXECUTABLE = (
    "Run like the container of every arm, on a Debian without Python and TensorFlow. apphost: no "
    "runtime pack was available, so the runtime's folder stands next to the executable."
)
_TESTS = (
    "Two-sided p values of the log ratios of the blocks. The t test decides, adjusted by Holm's "
    "method over the claims. Wilcoxon's signed-rank test and the sign permutation test assume no "
    "normal distribution: if they disagree with the t test, a few blocks carry the result. "
    "Equal: two one-sided tests that the effect is {equal}; a small p value means equal."
)
_EQUALITY = (
    "For a claim of equality this margin is the claim's own, and the p value that Holm's method "
    "adjusts is the one of these tests where the effect measured is inside the margin; else it is "
    "the one of a t test against the margin's nearest end."
)
_REPEATED = (
    "The session looked at its claims more than once. Its intervals, the p values of the t test "
    "and those for equality are repeated ones (Jennison and Turnbull), valid at every look; those "
    "of Wilcoxon's and the permutation test do not allow for the looks."
)


def consistency(model: ReportModel) -> tuple[Block, ...]:
    """Return the consistency claims, each with its word and numbers."""
    rows = tuple(
        (
            found.claim.id,
            f"{found.claim.statement} ({found.claim.where})",
            Strong(found.word),
            arithmetic(found.reason),
        )
        for found in model.judged.consistency
    )
    if not rows:
        return ()
    return (
        Table(("id", "what must agree", "verdict", "reason"), rows, _LIMIT),
        Paragraph(_CONSISTENCY),
    )


def control_runs(model: ReportModel) -> tuple[Block, ...]:
    """Return the controls with their results."""
    rows = tuple(
        _control(control, part.form)
        for part in model.variants
        for control in part.comparison.controls
    )
    if not rows:
        return ()
    header = (
        "control",
        "description",
        "pairs",
        "gain, mean",
        "gain, warm median",
        "result",
        "reason",
    )
    is_open = any(c.is_open for part in model.variants for c in part.comparison.controls)
    note = f"{_CONTROLS} {_OPEN}" if is_open else _CONTROLS
    return Table(header, rows, _LIMIT), Paragraph(note)


def _control(control: Control, form: Form) -> tuple[Text, ...]:
    results: dict[bool | None, Text] = {
        True: "passed", False: Strong("FAILED", Tone.BAD), None: "not decided",
    }  # fmt: skip
    return (
        f"{control.role}, {control.arm}",
        role_of(control.role).description,
        str(len(control.blocks)),
        either(partial(format_gain, control.estimates["mean"]), form),
        either(partial(format_gain, control.estimates["warm_median"]), form),
        results[control.held],
        control_text(control.reason),
    )


def executable(model: ReportModel) -> tuple[Block, ...]:
    """Return how the executable ran on a system with nothing else."""
    run = next((v.run for v in model.judged.executable if v.run is not None), None)
    if run is None:
        return ()
    rows = (
        ("image", run.reference),
        ("image id", run.image_id),
        ("size of the image (MB)", format_megabytes(run.size_bytes)),
        ("kind", run.kind),
        ("started", "yes" if run.started else "no"),
        ("trained", "yes" if run.trained else "no"),
        ("missing first", run.missing or NONE),
        ("exit code", str(run.exit_code)),
    )
    return facts(rows), Paragraph(_EXECUTABLE), Fold("Its output", (CodeBlock(run.output),))


def sensitivity(model: ReportModel) -> tuple[Block, ...]:
    """Return other tests of every claim, and order effects, drift and outliers."""
    return tuple(
        block
        for part in model.variants
        if part.planned
        for block in (*_tests(part, model.course is not None), List(tuple(_session(model, part))))
    )


def _tests(part: VariantReport, repeated: bool) -> tuple[Block, ...]:
    rows = tuple(
        (verdict.claim.id, part.variant, *_p_values(verdict))
        for verdict in part.comparison.verdicts
    )
    if not rows:
        return ()
    header = ("claim", "variant", "t", "t, Holm", "Wilcoxon", "permutation", "equal")
    note = _TESTS.format(equal=equal_text(part.form))
    claims = (verdict.claim for verdict in part.comparison.verdicts)
    if any(claim.direction is Direction.EQUAL for claim in claims):
        note += f" {_EQUALITY}"
    if repeated:
        note += f" {_REPEATED}"
    return Table(header, rows), Paragraph(note)


def _p_values(verdict: Verdict) -> tuple[str, ...]:
    found = verdict.tests
    if found is None:
        return (NONE,) * 5
    sampled = "" if found.permutation_exact else " (sampled)"
    return (
        p_value(found.t),
        p_value(verdict.holm_p),
        p_value(found.wilcoxon),
        p_value(found.permutation) + sampled,
        p_value(found.equivalence),
    )


def _session(model: ReportModel, part: VariantReport) -> list[Text]:
    comparison = part.comparison
    order, pair = comparison.order, comparison.pair
    what = "Half of the CPUs" if model.header.plan.design == DUET else "Order in the block"
    lines: list[Text] = [
        (
            f"{what}: ", pair.baseline or NONE, f" first in {order.baseline_first}, ",
            pair.contender or NONE,
            f" first in {order.contender_first}; {_order_effect(order.p_value)}.",
        )
    ]  # fmt: skip
    if comparison.hosts.parts:
        lines.append(
            "Drift over the session: not estimated, since its blocks ran on several hosts."
        )
    lines += [_drift(drift, part.form) for drift in comparison.drifts if drift.percent is not None]
    if comparison.outliers:
        named = ", ".join(f"{o.block} (score {format_score(o.score)})" for o in comparison.outliers)
        lines.append(f"Outlying blocks (score above {OUTLIER_SCORE:g}): {named}; they are kept.")
    else:
        lines.append("No outlying block, or too few blocks to tell.")
    return lines


def _drift(drift: Drift, form: Form) -> Text:
    significant = drift.p_value is not None and drift.p_value < ALPHA
    return (
        "Drift of ", drift.arm,
        f" from its first run to its last: {format_trend(drift.percent or 0.0, form)}, "
        f"{p_equals(drift.p_value)}{' (statistically significant)' if significant else ''}.",
    )  # fmt: skip


def _order_effect(p_value: float | None) -> str:
    if p_value is None:
        return "too few blocks to test whether it matters"
    return f"{p_equals(p_value)} for no effect of it"
