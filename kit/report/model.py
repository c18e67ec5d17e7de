"""The report model: everything a report shows, computed once for every format.

Strings are as they came; each renderer (``kit.report.render``) makes them safe for its format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from kit.judge.ablation import Ablation, explain
from kit.judge.comparison import Comparison, Judged, judge
from kit.judge.cost import FitCost, fit_costs
from kit.judge.executable import ExecutableVerdict
from kit.judge.pairing import PairedBlock
from kit.judge.pilot import Outlook, outlook_from
from kit.judge.statistics import Estimate, RunStatistics, in_order, value_of
from kit.judge.training import Trained, TrainingVerdict, trained
from kit.judge.verdict import Verdict, figures_gain, published_seconds, substitutes
from kit.plan.model import Kind
from kit.plan.roles import MAIN, RoleName
from kit.records.host import HostSample
from kit.records.images import ArmImage
from kit.records.record import Cgroup, Fit, Record
from kit.records.session import Header, RunEntry, Session
from kit.report.effects import Form, form_over
from kit.report.gpu import GpuReport, gpu_report
from kit.report.headline import controls_line, head_claim, headline, same_work_line
from kit.report.interference_words import disturbance
from kit.report.reasons import reason_text, untimed_text
from kit.study.model import Claim, Direction, Study, Variant

PUBLISHED = ("min", "max", "mean", "total")
"""The paper's four numbers, in its order."""
AnyVerdict = Verdict | TrainingVerdict | ExecutableVerdict


@dataclass(frozen=True)
class PublishedRow:
    """One of the paper's numbers against this session. Seconds and percent.

    Measured seconds are means over the runs of complete blocks, or over all
    usable runs of an arm where no block is complete.
    """

    statistic: str
    paper_baseline: float | None
    paper_contender: float | None
    figures_gain_percent: float | None
    claims: tuple[Claim, ...]
    """On it, in their order."""
    baseline: float | None
    contender: float | None
    estimate: Estimate

    @property
    def text_gain_percent(self) -> float | None:
        """The first claim's, which is the lead claim's where that one is on it.

        None where that one is of equality.
        """
        first = next(iter(self.claims), None)
        if first is None or first.direction is Direction.EQUAL:
            return None
        return first.published_gain_percent


@dataclass(frozen=True)
class VariantReport:
    """One variant's comparison with its published-against-measured rows."""

    comparison: Comparison
    rows: tuple[PublishedRow, ...]
    cold: Mapping[str, float]
    """Per arm, mean cold first fit of its runs, seconds."""
    same_work_line: str
    form: Form
    """Of every effect that is printed of it."""

    @property
    def variant(self) -> Variant:
        """The variant's name."""
        return self.comparison.pair.variant

    @property
    def planned(self) -> bool:
        """Whether the plan holds any arm of it; without one there is nothing to show."""
        return bool(self.comparison.pair.arms())


@dataclass(frozen=True)
class ArmFacts:
    """Where an arm ran. ``versions`` holds every distinct value its records name."""

    arm: str
    image: ArmImage | None
    versions: Mapping[str, tuple[str, ...]]
    clocks: tuple[str, ...]


@dataclass(frozen=True)
class Failure:
    """A run without a record, with the end of its output.

    ``mended``: a later try of the same run, in a resumed session, succeeded.
    """

    run_id: str
    block: int
    arm: str
    kind: Kind
    exit_code: int | None
    failure: str
    log_tail: str
    mended: bool


@dataclass(frozen=True)
class RawRun:
    """A timed run with its fits as recorded; ``counted`` False: see the exclusions.

    ``statistics`` are there where its times are usable and it was not made again later.
    """

    run_id: str
    block: int
    position: int
    arm: str
    image_id: str
    started_at: str
    finished_at: str
    role: RoleName
    pair: int | None
    machine: str
    flags: tuple[str, ...]
    """What disturbed the host around it."""
    counted: bool
    host: HostSample
    cgroup: Cgroup | None
    fits: tuple[Fit, ...]
    statistics: RunStatistics | None

    @property
    def compared(self) -> bool:
        """Whether the claims are judged on it: it counts, and is no control and no pilot."""
        return self.counted and self.role == MAIN


@dataclass(frozen=True)
class ReportModel:
    """Everything a report shows, in no format yet."""

    study: Study
    header: Header
    headline: str
    lead: Verdict | None
    """The verdict that the headline speaks of."""
    substitutes: tuple[str, ...]
    """Components that make the verdicts indicative; none where nothing was measured."""
    judged: Judged
    variants: tuple[VariantReport, ...]
    trained: tuple[Trained, ...]
    trained_remark: str
    costs: tuple[FitCost, ...]
    arms: tuple[ArmFacts, ...]
    failures: tuple[Failure, ...]
    raw: tuple[RawRun, ...]
    torn: bool
    gpu: GpuReport | None
    """None where no GPU was asked for."""
    controls_line: str
    outlook: Outlook | None
    """What a pilot said; None: there was none."""
    explanation: Ablation | None = None
    """Of the session that was made beside this one to explain its difference."""

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Every verdict, variant by variant."""
        return tuple(v for part in self.judged.comparisons for v in part.verdicts)

    def form_of(self, verdict: Verdict) -> Form:
        """Return the form of every effect that is printed of the verdict's variant."""
        return next(part.form for part in self.variants if part.variant == verdict.variant)

    def reason_of(self, verdict: AnyVerdict) -> str:
        """Return why a verdict has its word, as a sentence."""
        if isinstance(verdict, Verdict):
            return reason_text(verdict, self.form_of(verdict))
        return untimed_text(verdict)

    @property
    def same_work_held(self) -> bool:
        """Whether every variant's arms did the same work (true where there is one arm)."""
        return all(part.same_work.held for part in self.judged.comparisons)


def build_report(session: Session, study: Study, explaining: Session | None = None) -> ReportModel:
    """Return the report of a session, with the ablation made next to it.

    Raises InputError if it is of another study's arms, or is an ablation itself.
    """
    session.must_compare()
    judged = judge(session, study)
    verdicts = tuple(v for part in judged.comparisons for v in part.verdicts)
    lead = head_claim(verdicts)
    variants = tuple(_variant(part, judged, study) for part in judged.comparisons)
    forms = {part.variant: part.form for part in variants}
    usable = {run.run_id for run in judged.main}
    return ReportModel(
        study=study,
        header=session.header,
        headline=headline(
            lead,
            study.contender,
            several=len({v.variant for v in verdicts}) > 1,
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
        outlook=outlook_from(session.outlook or {}),
        explanation=explain(explaining, study) if explaining is not None else None,
    )


def _variant(part: Comparison, judged: Judged, study: Study) -> VariantReport:
    pair = part.pair
    baseline, contender = (_runs_of(part, judged, arm) for arm in (pair.baseline, pair.contender))
    named = ((pair.baseline, baseline), (pair.contender, contender))
    cold = {arm: _mean(runs, "cold") for arm, runs in named if arm is not None}
    return VariantReport(
        comparison=part,
        rows=tuple(
            _published(name, study, part, baseline, contender) for name in (*PUBLISHED, "hardened")
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


def _runs_of(part: Comparison, judged: Judged, arm: str | None) -> tuple[RunStatistics, ...]:
    """The runs the ratio is made of, so that seconds and ratio speak of the same runs."""
    if part.blocks:
        return tuple(_side(block, arm == part.pair.baseline) for block in part.blocks)
    return tuple(run for run in judged.main if run.arm == arm)


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
    good = session.done()
    return tuple(
        Failure(
            run_id=entry.run_id,
            block=entry.block,
            arm=entry.arm,
            kind=entry.kind,
            exit_code=entry.exit_code,
            failure=entry.failure or "no record",
            log_tail=entry.log_tail,
            mended=entry.run_id in good,
        )
        for entry in session.entries
        if entry.record is None
    )


def _raw(session: Session, judged: Judged) -> tuple[RawRun, ...]:
    entries = [(entry, entry.record) for entry in session.timed() if entry.record is not None]
    # A run may be there twice, made again by a resumed session: only the last one counts.
    last = {entry.run_id: place for place, (entry, _) in enumerate(entries)}
    usable = {run.run_id: run for run in judged.runs}
    return tuple(
        _raw_run(
            entry, record, judged, usable.get(entry.run_id) if last[entry.run_id] == place else None
        )
        for place, (entry, record) in enumerate(entries)
    )


def _raw_run(
    entry: RunEntry, record: Record, judged: Judged, statistics: RunStatistics | None
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
        counted=statistics is not None and entry.run_id not in judged.alone,
        host=entry.host,
        cgroup=record.cgroup,
        fits=in_order(record),
        statistics=statistics,
    )
