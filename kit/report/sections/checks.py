"""What stands beside the verdicts: consistency findings, other tests, order and drift."""

from __future__ import annotations

from kit.judge.effects import equal_text
from kit.judge.order import OUTLIER_SCORE
from kit.judge.robustness import ALPHA
from kit.plan.model import DUET
from kit.plan.roles import role_of
from kit.report.model import ReportModel, VariantReport
from kit.report.numbers import NONE, gain, megabytes, p_equals, p_value, score, trend
from kit.report.tables import facts, fold, table
from kit.report.text import block, inline

_TESTS = (
    "p values, two-sided, of the log ratios of the blocks; the t test's is the one that counts, "
    "adjusted by Holm's method over the claims. Wilcoxon's signed ranks and the permutation of "
    "signs assume no normal distribution: where they disagree with the t test, a few blocks "
    "carry the result. Equal: two one-sided tests that the effect is {equal}, small means equal."
)


def consistency(model: ReportModel) -> str:
    """The consistency claims, each with what the arithmetic gave."""
    rows = [
        [
            inline(found.claim.id),
            inline(f"{found.claim.statement} ({found.claim.where})"),
            f"**{found.word}**",
            inline(found.reason, 600),
        ]
        for found in model.judged.findings
    ]
    if not rows:
        return "The study holds no consistency claim."
    note = "Worked out from the published numbers alone: no measurement is involved."
    return f"{table(['id', 'what must agree', 'verdict', 'why'], rows)}\n\n{note}"


def control_runs(model: ReportModel) -> str:
    """What the session finds where the answer is known; the placebo is its noise floor."""
    found = [
        (control, part.form) for part in model.variants for control in part.comparison.controls
    ]
    if not found:
        return ""
    rows = [
        [
            inline(f"{control.role}, {control.arm}"),
            inline(role_of(control.role).means),
            str(len(control.blocks)),
            gain(control.estimates["mean"], form),
            gain(control.estimates["hardened"], form),
            {True: "held", False: "**NOT HELD**", None: "cannot be told"}[control.held],
            inline(control.why, 400),
        ]
        for control, form in found
    ]
    headers = ["control", "is", "pairs", "gain, average", "gain, hardened", "result", "why"]
    note = (
        "Control runs stand in the same blocks as the others, in random order among them. The "
        "placebo's interval is the noise floor: no smaller gain can be told from none here. Where "
        "a control does not hold, every verdict on timed runs is INCONCLUSIVE."
    )
    return f"{table(headers, rows, 'llrrrll')}\n\n{note}"


def executable(model: ReportModel) -> str:
    """What became of the executable on a machine with nothing else."""
    run = next((v.run for v in model.judged.executable if v.run is not None), None)
    if run is None:
        return "No executable was run."
    rows = [
        ("image", run.reference),
        ("image id", run.image_id),
        ("size of the image (MB)", megabytes(run.size_bytes)),
        ("kind", run.kind),
        ("started", "yes" if run.started else "no"),
        ("trained", "yes" if run.trained else "no"),
        ("missing first", run.missing or NONE),
        ("exit code", str(run.exit_code)),
    ]
    note = (
        "Run like every arm's container, on a Debian that holds neither Python nor TensorFlow. "
        "apphost: no runtime pack could be had, so the runtime's folder lies beside the executable."
    )
    return f"{facts(rows)}\n\n{note}\n\n{fold('What it printed', block(run.said))}"


def robustness(model: ReportModel) -> str:
    """Other tests of every claim, and what the blocks say of the session."""
    return "\n\n".join(
        part
        for variant in model.variants
        if variant.planned
        for part in (_tests(variant), _session(model, variant))
    )


def _tests(part: VariantReport) -> str:
    rows = []
    for verdict in part.comparison.verdicts:
        found = verdict.tests
        rows.append(
            [
                inline(verdict.claim.id),
                inline(part.variant),
                *(
                    [NONE] * 5
                    if found is None
                    else [
                        p_value(found.t),
                        p_value(verdict.holm_p),
                        p_value(found.wilcoxon),
                        p_value(found.permutation)
                        + ("" if found.permutation_exact else " (sampled)"),
                        p_value(found.equivalence),
                    ]
                ),
            ]
        )
    headers = ["claim", "variant", "t", "t, Holm", "Wilcoxon", "permutation", "equal"]
    return f"{table(headers, rows, 'llrrrrr')}\n\n{_TESTS.format(equal=equal_text(part.form))}"


def _session(model: ReportModel, part: VariantReport) -> str:
    comparison = part.comparison
    order = comparison.order
    what = "Half of the CPUs" if model.header.plan.design == DUET else "Order in the block"
    lines = [
        f"{what}: {inline(comparison.pair.baseline or NONE)} first in "
        f"{order.baseline_first}, {inline(comparison.pair.contender or NONE)} first in "
        f"{order.contender_first}; {_order_word(order.p_value)}."
    ]
    if comparison.hosts.parts:
        lines.append("Drift over the session is not told: its blocks ran on several hosts.")
    for drift in comparison.drifts:
        if drift.percent is not None:
            sure = "" if drift.p_value is None or drift.p_value >= ALPHA else " (a real trend)"
            lines.append(
                f"Drift of {inline(drift.arm)} from its first run to its last: "
                f"{trend(drift.percent, part.form)}, "
                f"{p_equals(drift.p_value)}{sure}."
            )
    if comparison.outliers:
        named = ", ".join(f"{o.block} (score {score(o.score)})" for o in comparison.outliers)
        lines.append(f"Blocks far from the others (score above {OUTLIER_SCORE:g}): {named}; kept.")
    else:
        lines.append("No block lies far from the others, or there are too few to tell.")
    return "\n".join(f"- {line}" for line in lines)


def _order_word(p_value: float | None) -> str:
    if p_value is None:
        return "too few blocks to tell whether it matters"
    return f"{p_equals(p_value)} for no effect of it"
