"""Per claim the experiment: what to type, what it costs, what is to come out."""

from __future__ import annotations

from collections.abc import Collection

from kit.judge.effects import band_words, equal_text
from kit.judge.executable import ExecutableVerdict
from kit.judge.training import TrainingVerdict
from kit.judge.verdict import Verdict
from kit.measure.session import Session
from kit.report.appendix import costs
from kit.report.appendix.parts import Command, Facts, Section, Text
from kit.report.model import ReportModel
from kit.report.numbers import claimed, fixed, gain, gigabytes

_ONE = (
    "One command measures all claims at once, so that minutes, disk and memory below are those "
    "of the same runs and do not add up. It repeats the plan of this session; seconds differ on "
    "another machine, and so may a verdict: compare two results folders with kit diff A B."
)
_PAPER_ONLY = (
    "By arithmetic on what the paper prints; nothing is run. They come with every report of a "
    "session: kit judge DIR."
)


def experiments(session: Session, model: ReportModel) -> tuple[Section, ...]:
    """An introduction with the command, a part for every claim, and those that need no run."""
    sections = [
        Section("Experiments", (Text(_ONE), Command(model.header.command))),
        *(_measured(session, model, verdict) for verdict in model.verdicts),
        *(_training(session, model, verdict) for verdict in model.judged.training),
        *(_executable(model, verdict) for verdict in model.judged.executable),
    ]
    found = tuple(
        (f"{f.claim.id} ({f.claim.where})", f"{f.claim.statement}: {f.word}; {f.reason}")
        for f in model.judged.findings
    )
    if found:
        sections.append(
            Section("Does the paper agree with itself?", (Text(_PAPER_ONLY), Facts(found)))
        )
    return tuple(sections)


def _measured(session: Session, model: ReportModel, verdict: Verdict) -> Section:
    claim, band = verdict.claim, verdict.claim.band_percent
    form = model.form_of(verdict)
    expected = (
        f"a gain of {model.study.contender} over {model.study.baseline} of "
        f"{claimed(claim.published_gain_percent, form)} ({claim.statistic} of a run's fits)"
    )
    allowed = (
        f"an effect of {band_words(band, form)} has the claim's own size: REPRODUCED where the "
        "95 % interval excludes 0 and lies within it; the right sign alone is SAME DIRECTION; "
        f"{equal_text(form)} counts as equal"
    )
    here = f"{verdict.printed}: measured {gain(verdict.measured, form)}; {verdict.rule}"
    return _section(
        f"{claim.id}, {verdict.variant}: {claim.statement}",
        claim.where,
        claim.needs,
        model,
        _costs(session, model, _arms(model, verdict.variant)),
        (expected, allowed, here),
    )


def _training(session: Session, model: ReportModel, verdict: TrainingVerdict) -> Section:
    ranges = ", ".join(
        f"{name} {fixed(r.low, 4)} to {fixed(r.high, 4)}"
        for name, r in model.study.paper.last_epoch.items()
    )
    return _section(
        f"{verdict.claim.id}, {verdict.variant}: {verdict.claim.statement}",
        verdict.claim.where,
        verdict.claim.needs,
        model,
        _costs(session, model, _arms(model, verdict.variant)),
        (
            f"equal in both stacks at the last epoch, and in the paper's range: {ranges or '-'}",
            "a difference smaller than the width of that range counts as equal",
            f"{verdict.printed}: {verdict.rule}",
        ),
    )


def _executable(model: ReportModel, verdict: ExecutableVerdict) -> Section:
    run = verdict.run
    size = "not built in this session" if run is None else gigabytes(run.size_bytes)
    rows = (
        ("Human time", costs.HUMAN),
        ("Compute time", "not measured apart; a single run"),
        ("Disk", f"{size} of image, as measured" if run is not None else size),
        (
            "Memory",
            f"the limit of a run was {gigabytes(model.header.plan.limits.memory_bytes)}",
        ),
    )
    return _section(
        f"{verdict.claim.id}: {verdict.claim.statement}",
        verdict.claim.where,
        verdict.claim.needs,
        model,
        rows,
        ("the executable trains on its own", "none", f"{verdict.printed}: {verdict.rule}"),
    )


def _section(
    title: str,
    where: str,
    needs: str,
    model: ReportModel,
    costs_rows: tuple[tuple[str, str], ...],
    outcome: tuple[str, str, str],
) -> Section:
    expected, allowed, here = outcome
    rows = (
        ("In the paper", where),
        ("What the test takes", needs or "the runs of this session"),
        *costs_rows,
        ("Expected result", expected),
        ("Allowed variation", allowed),
        ("Result of this session", here),
    )
    return Section(title, (Command(model.header.command), Facts(rows)), level=2)


def _costs(
    session: Session, model: ReportModel, arms: Collection[str]
) -> tuple[tuple[str, str], ...]:
    return (
        ("Human time", costs.HUMAN),
        ("Compute time", costs.compute(session, arms)),
        ("Disk", costs.disk(model, arms)),
        ("Memory", costs.memory(model, arms)),
    )


def _arms(model: ReportModel, variant: str) -> tuple[str, ...]:
    """The arms of that variant in the plan."""
    parts = [part for part in model.judged.comparisons if part.pair.variant == variant]
    return tuple(arm for part in parts for arm in part.pair.arms())
