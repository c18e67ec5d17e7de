"""Construction of a session's report model from its judgement and the published numbers."""

from __future__ import annotations

from statistics import fmean

from kit.judge.ablation import judge_ablation
from kit.judge.comparison import Comparison, Judgement, judge
from kit.judge.cost import fit_costs
from kit.judge.pairing import PairedBlock
from kit.judge.pilot import read_pilot_result
from kit.judge.statistics import RunStatistics, in_order, value_of
from kit.judge.stop import blocks_tried
from kit.judge.training import trained
from kit.judge.verdict import figures_gain, published_seconds, substitutes
from kit.records.record import Record
from kit.records.session import RunEntry, Session
from kit.report.conditions import disturbance
from kit.report.gpu import gpu_report
from kit.report.headline import controls_line, headline, lead_verdict, same_work_line
from kit.report.model import (
    ArmFacts,
    Course,
    Failure,
    PublishedRow,
    RawRun,
    ReportModel,
    VariantReport,
)
from kit.report.numbers import Form, form_over
from kit.study.model import Study

PUBLISHED = ("min", "max", "mean", "total")
"""The paper's four numbers, in its order."""


def build_report(session: Session, study: Study, explaining: Session | None = None) -> ReportModel:
    """Return the report of a session, with the ablation ``explaining`` made next to it.

    Raise InputError if the session is an ablation, or as ``judge`` does, for example for an
    arm that is not in the study.
    """
    session.must_compare()
    judged = judge(session, study)
    verdicts = tuple(v for part in judged.comparisons for v in part.verdicts)
    lead = lead_verdict(verdicts)
    variants = tuple(_variant(part, judged, study) for part in judged.comparisons)
    forms = {part.variant: part.form for part in variants}
    usable = {run.run_id for run in judged.main_runs}
    return ReportModel(
        study=study,
        header=session.header,
        headline=headline(
            lead,
            study.contender,
            several=len(variants) > 1,
            form=forms[lead.variant] if lead is not None else Form.GAIN,
        ),
        lead=lead,
        substitutes=(
            substitutes(study, session.header.fidelity)
            if any(v.indicative for v in verdicts)
            else ()
        ),
        judged=judged,
        variants=variants,
        trained=trained(session, study),
        trained_remark=study.paper.training_remark,
        costs=fit_costs(session, usable),
        arms=tuple(_arm(session, arm) for arm in session.header.plan.arms),
        failures=_failures(session),
        raw=_raw(session, judged),
        torn=session.torn,
        gpu=gpu_report(session, judged, study),
        controls_line=controls_line(judged),
        outlook=read_pilot_result(session.outlook or {}),
        course=_course(session),
        explanation=judge_ablation(explaining, study) if explaining is not None else None,
    )


def _course(session: Session) -> Course | None:
    plan = session.header.plan
    if plan.stopping is None or plan.looks is None:  # a pilot has not chosen the design yet
        return None
    return Course(plan.stopping, blocks_tried(session), plan.blocks, session.looks)


def _variant(part: Comparison, judged: Judgement, study: Study) -> VariantReport:
    pair = part.pair
    baseline, contender = (_runs_of(part, judged, arm) for arm in (pair.baseline, pair.contender))
    named = ((pair.baseline, baseline), (pair.contender, contender))
    cold = {arm: _mean(runs, "cold") for arm, runs in named if arm is not None}
    return VariantReport(
        comparison=part,
        rows=tuple(
            _published(name, study, part, baseline, contender)
            for name in (*PUBLISHED, "warm_median")
        ),
        cold={arm: seconds for arm, seconds in cold.items() if seconds is not None},
        same_work_line=same_work_line(part.same_work),
        form=form_over(study, part.blocks),
    )


def _published(
    name: str,
    study: Study,
    part: Comparison,
    baseline: tuple[RunStatistics, ...],
    contender: tuple[RunStatistics, ...],
) -> PublishedRow:
    return PublishedRow(
        statistic=name,
        paper_baseline=published_seconds(study.paper, study.baseline, name),
        paper_contender=published_seconds(study.paper, study.contender, name),
        figures_gain_percent=figures_gain(study, name),
        claims=tuple(claim for claim in study.claims if claim.statistic == name),
        baseline=_mean(baseline, name),
        contender=_mean(contender, name),
        estimate=part.estimates[name],
    )


def _runs_of(part: Comparison, judged: Judgement, arm: str | None) -> tuple[RunStatistics, ...]:
    """Return the runs behind the ratio, so that seconds and ratio are of the same runs."""
    if part.blocks:
        return tuple(_side(block, arm == part.pair.baseline) for block in part.blocks)
    return tuple(run for run in judged.main_runs if run.arm == arm)


def _side(block: PairedBlock, baseline: bool) -> RunStatistics:
    return block.baseline if baseline else block.contender


def _mean(runs: tuple[RunStatistics, ...], statistic: str) -> float | None:
    values = [value for value in (value_of(run, statistic) for run in runs) if value is not None]
    return fmean(values) if values else None


def _arm(session: Session, arm: str) -> ArmFacts:
    records = [e.record for e in session.entries if e.arm == arm and e.record is not None]
    names = sorted({name for record in records for name in record.versions})
    return ArmFacts(
        arm=arm,
        image=session.header.images.get(arm),
        versions={
            name: tuple(sorted({r.versions[name] for r in records if name in r.versions}))
            for name in names
        },
        clocks=tuple(sorted({f"{r.clock_name}, {r.clock_resolution_ns:g} ns" for r in records})),
    )


def _failures(session: Session) -> tuple[Failure, ...]:
    good = session.completed_run_ids()
    return tuple(
        Failure(
            run_id=entry.run_id,
            block=entry.block,
            arm=entry.arm,
            kind=entry.kind,
            exit_code=entry.exit_code,
            failure=entry.failure or "no record",
            log_tail=entry.log_tail,
            recovered=entry.run_id in good,
        )
        for entry in session.entries
        if entry.record is None
    )


def _raw(session: Session, judged: Judgement) -> tuple[RawRun, ...]:
    entries = [(entry, entry.record) for entry in session.timed() if entry.record is not None]
    # The log may have a run twice, if a resumed session made it again: only the last one counts.
    last = {entry.run_id: index for index, (entry, _) in enumerate(entries)}
    usable = {run.run_id: run for run in judged.runs}
    return tuple(
        _raw_run(
            entry, record, judged, usable.get(entry.run_id) if last[entry.run_id] == index else None
        )
        for index, (entry, record) in enumerate(entries)
    )


def _raw_run(
    entry: RunEntry, record: Record, judged: Judgement, statistics: RunStatistics | None
) -> RawRun:
    return RawRun(
        run_id=entry.run_id,
        block=entry.block,
        position=entry.position,
        arm=entry.arm,
        image_id=entry.image_id,
        started_at=entry.started_at,
        finished_at=entry.finished_at,
        role=entry.role,
        pair=entry.pair,
        machine=entry.machine,
        flags=tuple(disturbance(flag.what) for flag in judged.flags if flag.run_id == entry.run_id),
        counted=statistics is not None and entry.run_id not in judged.unpaired_runs,
        host=entry.host,
        cgroup=record.cgroup,
        fits=in_order(record),
        statistics=statistics,
    )
