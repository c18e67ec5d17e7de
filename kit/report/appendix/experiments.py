"""One experiment per claim: its command, cost, and expected result."""

from __future__ import annotations

from collections.abc import Collection

from kit.judge.executable import ExecutableVerdict
from kit.judge.training import TrainingVerdict
from kit.judge.verdict import Verdict
from kit.records.session import Session
from kit.report.appendix import checklist
from kit.report.appendix.checklist import Facts, listed
from kit.report.document import Code, Command, Heading, Paragraph, Prose
from kit.report.findings import arithmetic
from kit.report.model import ReportModel
from kit.report.numbers import (
    Form,
    band_words,
    equal_text,
    format_claimed,
    format_gain,
    format_gigabytes,
    format_number,
    margin_words,
)
from kit.study.model import Claim, ExecutableClaim, TrainingClaim

_ONE = (
    "One command measures all claims. The minutes, disk space and memory below belong to the same "
    "runs, so do not add them up. The command repeats the plan of this session. On another machine "
    "the times differ and verdicts may differ. To compare two results folders, use ",
    Code("kit diff A B"),
    ".",
)
_PAPER_ONLY = (
    "kit checks these claims by arithmetic on the published numbers, without a run. To print them "
    "for a session, use ",
    Code("kit judge DIR"),
    ".",
)


def experiments(session: Session, model: ReportModel) -> tuple[Prose, ...]:
    """Return the appendix's experiments: the command, a part for every claim, and the rest.

    The rest are the claims that need no run.
    """
    blocks: list[Prose] = [
        Heading(2, "Experiments"), Paragraph(_ONE), Command(model.header.command)
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
    measured = format_gain(verdict.measured, form)
    here = f"{verdict.printed}: measured {measured}; {model.reason_of(verdict)}"
    cost = _costs(session, model, verdict.variant)
    return _experiment(model, claim, verdict.variant, cost, (expected, allowed, here))


def _expected(claim: Claim, model: ReportModel, form: Form) -> tuple[str, str]:
    """Return the expected result of a measured claim, and the allowed variation."""
    study, statistic = model.study, f"({claim.statistic} over the fits of a run)"
    if claim.equal_within_percent is not None:
        margin = margin_words(claim.equal_within_percent, form)
        return (
            f"{study.contender} and {study.baseline} equal {margin} {statistic}",
            "REPRODUCED if two one-sided tests show an effect inside this margin; OPPOSITE if the "
            "95 % interval lies outside it",
        )
    return (
        f"a gain of {study.contender} over {study.baseline} of "
        f"{format_claimed(claim.published_gain_percent, form)} {statistic}",
        f"REPRODUCED if the 95 % interval excludes 0 and lies within the band, "
        f"{band_words(claim.band_percent, form)}; SAME DIRECTION if only the sign is as claimed; "
        f"effects {equal_text(form)} count as equal",
    )


def _training(session: Session, model: ReportModel, verdict: TrainingVerdict) -> tuple[Prose, ...]:
    ranges = ", ".join(
        f"{name} {format_number(r.low, 4)} to {format_number(r.high, 4)}"
        for name, r in model.study.paper.last_epoch.items()
    )
    outcome = (
        f"equal at the last epoch in both stacks, and in the published range: {ranges or '-'}",
        "differences smaller than the width of this range count as equal",
        f"{verdict.printed}: {model.reason_of(verdict)}",
    )
    cost = _costs(session, model, verdict.variant)
    return _experiment(model, verdict.claim, verdict.variant, cost, outcome)


def _executable(model: ReportModel, verdict: ExecutableVerdict) -> tuple[Prose, ...]:
    run = verdict.run
    disk = "not built in this session"
    if run is not None:
        disk = f"image of {format_gigabytes(run.size_bytes)}, measured"
    cost = (
        ("Human time", checklist.HUMAN),
        ("Compute time", "not measured separately; one run"),
        ("Disk", disk),
        ("Memory", checklist.memory_limit(model)),
    )
    outcome = (
        "the executable trains on a system without Python",
        "none",
        f"{verdict.printed}: {model.reason_of(verdict)}",
    )
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
    return title, Command(model.header.command), listed(rows)


def _costs(session: Session, model: ReportModel, variant: str) -> Facts:
    arms = _arms(model, variant)
    return (
        ("Human time", checklist.HUMAN),
        ("Compute time", checklist.compute(session, arms)),
        ("Disk", checklist.disk(model, arms)),
        ("Memory", checklist.memory(model, arms)),
    )


def _arms(model: ReportModel, variant: str) -> Collection[str]:
    """Return the arms of that variant in the plan."""
    parts = [part for part in model.judged.comparisons if part.pair.variant == variant]
    return tuple(arm for part in parts for arm in part.pair.arms())
