"""One experiment per claim: its command, cost, and expected result."""

from __future__ import annotations

from collections.abc import Collection

from kit.judge.executable import ExecutableVerdict
from kit.judge.training import TrainingVerdict
from kit.judge.verdict import Verdict
from kit.records.session import Session
from kit.report.appendix import costs
from kit.report.appendix.checklist import Facts, listed
from kit.report.consistency_words import arithmetic
from kit.report.document import Code, CodeBlock, Heading, Paragraph, Prose
from kit.report.effects import Form, band_words, equal_text, margin_words
from kit.report.model import ReportModel
from kit.report.numbers import claimed, fixed, gain, gigabytes
from kit.study.model import Claim, ExecutableClaim, TrainingClaim

_ONE = (
    "One command measures all claims at once, so minutes, disk and memory below are those of the "
    "same runs and do not add up. It repeats the plan of this session; seconds differ on another "
    "machine, and so may a verdict: compare two results folders with ",
    Code("kit diff A B"),
    ".",
)
_PAPER_ONLY = (
    "By arithmetic on what the paper prints; nothing is run. They are in every report of a "
    "session: ",
    Code("kit judge DIR"),
    ".",
)


def experiments(session: Session, model: ReportModel) -> tuple[Prose, ...]:
    """Return the command, a part for every claim, and the claims that need no run."""
    blocks: list[Prose] = [
        Heading(2, "Experiments"), Paragraph(_ONE), CodeBlock(model.header.command)
    ]  # fmt: skip
    for verdict in model.verdicts:
        blocks += _measured(session, model, verdict)
    for trained in model.judged.training:
        blocks += _training(session, model, trained)
    for executable in model.judged.executable:
        blocks += _executable(model, executable)
    found = [
        (
            f"{f.claim.id} ({f.claim.where})",
            f"{f.claim.statement}: {f.word}; {arithmetic(f.reason)}",
        )
        for f in model.judged.consistency
    ]
    if found:
        title = "Internal consistency of the publication"
        blocks += [Heading(2, title), Paragraph(_PAPER_ONLY), listed(found)]
    return tuple(blocks)


def _measured(session: Session, model: ReportModel, verdict: Verdict) -> tuple[Prose, ...]:
    claim, form = verdict.claim, model.form_of(verdict)
    expected, allowed = _expected(claim, model, form)
    here = f"{verdict.printed}: measured {gain(verdict.measured, form)}; {model.reason_of(verdict)}"
    cost = _costs(session, model, verdict.variant)
    return _experiment(model, claim, verdict.variant, cost, (expected, allowed, here))


def _expected(claim: Claim, model: ReportModel, form: Form) -> tuple[str, str]:
    """Return the expected result of a measured claim, and the allowed variation."""
    study, statistic = model.study, f"({claim.statistic} of a run's fits)"
    if claim.equal_within_percent is not None:
        margin = margin_words(claim.equal_within_percent, form)
        return (
            f"{study.contender} and {study.baseline} equal {margin} {statistic}",
            "REPRODUCED if two one-sided tests put the effect inside that margin; OPPOSITE if the "
            "95 % interval lies beyond it",
        )
    return (
        f"a gain of {study.contender} over {study.baseline} of "
        f"{claimed(claim.published_gain_percent, form)} {statistic}",
        f"an effect of {band_words(claim.band_percent, form)} has the claimed size: REPRODUCED if "
        "the 95 % interval excludes 0 and lies within it; the right sign alone is SAME DIRECTION; "
        f"{equal_text(form)} counts as equal",
    )


def _training(session: Session, model: ReportModel, verdict: TrainingVerdict) -> tuple[Prose, ...]:
    ranges = ", ".join(
        f"{name} {fixed(r.low, 4)} to {fixed(r.high, 4)}"
        for name, r in model.study.paper.last_epoch.items()
    )
    outcome = (
        f"equal in both stacks at the last epoch, and in the published range: {ranges or '-'}",
        "a difference smaller than the width of that range counts as equal",
        f"{verdict.printed}: {model.reason_of(verdict)}",
    )
    cost = _costs(session, model, verdict.variant)
    return _experiment(model, verdict.claim, verdict.variant, cost, outcome)


def _executable(model: ReportModel, verdict: ExecutableVerdict) -> tuple[Prose, ...]:
    run = verdict.run
    disk = "not built in this session"
    if run is not None:
        disk = f"{gigabytes(run.size_bytes)} of image, as measured"
    cost = (
        ("Human time", costs.HUMAN),
        ("Compute time", "not measured separately; a single run"),
        ("Disk", disk),
        ("Memory", costs.memory_limit(model)),
    )
    outcome = (
        "the executable trains on its own", "none", f"{verdict.printed}: {model.reason_of(verdict)}"
    )  # fmt: skip
    return _experiment(model, verdict.claim, "", cost, outcome)


def _experiment(
    model: ReportModel,
    claim: Claim | TrainingClaim | ExecutableClaim,
    variant: str,
    cost: Facts,
    outcome: tuple[str, str, str],
) -> tuple[Prose, ...]:
    """Return an experiment; ``outcome`` is expected, allowed and measured."""
    expected, allowed, here = outcome
    name = f"{claim.id}, {variant}" if variant else claim.id
    rows = (
        ("Location in the publication", claim.where),
        ("Requirements", claim.needs or "the runs of this session"),
        *cost,
        ("Expected result", expected),
        ("Allowed variation", allowed),
        ("Result of this session", here),
    )
    title = Heading(3, f"{name}: {claim.statement}")
    return title, CodeBlock(model.header.command), listed(rows)


def _costs(session: Session, model: ReportModel, variant: str) -> Facts:
    arms = _arms(model, variant)
    return (
        ("Human time", costs.HUMAN),
        ("Compute time", costs.compute(session, arms)),
        ("Disk", costs.disk(model, arms)),
        ("Memory", costs.memory(model, arms)),
    )


def _arms(model: ReportModel, variant: str) -> Collection[str]:
    """Return the arms of that variant in the plan."""
    parts = [part for part in model.judged.comparisons if part.pair.variant == variant]
    return tuple(arm for part in parts for arm in part.pair.arms())
