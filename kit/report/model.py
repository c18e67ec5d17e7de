"""The report model: everything a report shows, computed once for every format.

Strings are unchanged input; each renderer (``kit.report.render``) makes them safe for its format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kit.judge.ablation import Ablation
from kit.judge.comparison import Comparison, Judgement
from kit.judge.cost import ResourceUsage
from kit.judge.executable import ExecutableVerdict
from kit.judge.pilot import PilotResult
from kit.judge.statistics import Estimate, RunStatistics
from kit.judge.training import TrainingResult, TrainingVerdict
from kit.judge.verdict import Verdict
from kit.plan.model import Kind, Stopping
from kit.plan.roles import MAIN, RoleName
from kit.records.host import HostConditions
from kit.records.images import ArmImage
from kit.records.record import Cgroup, Fit
from kit.records.session import Ending, Header, Look
from kit.report.gpu import GpuReport
from kit.report.numbers import Form
from kit.report.reasons import reason_text, untimed_text
from kit.study.model import Claim, Direction, Study, Variant

AnyVerdict = Verdict | TrainingVerdict | ExecutableVerdict


@dataclass(frozen=True)
class PublishedRow:
    """One of the paper's numbers against this session. Seconds and percent.

    Measured seconds are means over the runs of complete blocks, or over all
    usable runs of an arm if no block is complete.
    """

    statistic: str
    paper_baseline: float | None
    paper_contender: float | None
    figures_gain_percent: float | None
    claims: tuple[Claim, ...]
    """The claims on this statistic, in the study's order."""
    baseline: float | None
    contender: float | None
    estimate: Estimate

    @property
    def text_gain_percent(self) -> float | None:
        """Return the published gain of the first claim on this statistic.

        None without a claim, or if that one is of equality.
        """
        first = next(iter(self.claims), None)
        if first is None or first.direction is Direction.EQUAL:
            return None
        return first.published_gain_percent


@dataclass(frozen=True)
class VariantReport:
    """One variant's comparison, with rows of published against measured numbers."""

    comparison: Comparison
    rows: tuple[PublishedRow, ...]
    cold: Mapping[str, float]
    """Mean cold first fit of each arm's runs, in seconds."""
    same_work_line: str
    form: Form
    """The form of every effect that is printed of the variant."""

    @property
    def variant(self) -> Variant:
        """Return the variant that this part of the report is about."""
        return self.comparison.pair.variant

    @property
    def planned(self) -> bool:
        """Return whether the plan has an arm of the variant; without one nothing is shown."""
        return bool(self.comparison.pair.arms())


@dataclass(frozen=True)
class ArmFacts:
    """The environment of an arm. ``versions`` has every distinct value in its records."""

    arm: str
    image: ArmImage | None
    versions: Mapping[str, tuple[str, ...]]
    clocks: tuple[str, ...]


@dataclass(frozen=True)
class Failure:
    """A run without a record, with the end of its output.

    ``recovered``: a later try of the same run, in a resumed session, succeeded.
    """

    run_id: str
    block: int
    arm: str
    kind: Kind
    exit_code: int | None
    failure: str
    log_tail: str
    recovered: bool


@dataclass(frozen=True)
class RawRun:
    """A timed run with its fits as recorded; ``counted`` False: see the exclusions.

    ``statistics`` is None if the run is not usable or was made again later.
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
    """The disturbances of the host around the run."""
    counted: bool
    host: HostConditions
    cgroup: Cgroup | None
    fits: tuple[Fit, ...]
    statistics: RunStatistics | None

    @property
    def compared(self) -> bool:
        """Return whether the run counts and is a main run, on which claims are judged."""
        return self.counted and self.role == MAIN


@dataclass(frozen=True)
class Course:
    """The course of a group-sequential session: its stopping rule, and its looks so far."""

    rule: Stopping
    blocks: int
    """How many of the first judged blocks have a try of each of their runs."""
    most: int
    looks: tuple[Look, ...]

    @property
    def ending(self) -> Ending | None:
        """Return why the session ended; None: it has not."""
        return self.looks[-1].ending if self.looks else None


@dataclass(frozen=True)
class ReportModel:
    """Everything that a report shows, independent of any format."""

    study: Study
    header: Header
    headline: str
    lead: Verdict | None
    """The verdict in the headline."""
    substitutes: tuple[str, ...]
    """Components that make the verdicts indicative; none if no verdict is."""
    judged: Judgement
    variants: tuple[VariantReport, ...]
    trained: tuple[TrainingResult, ...]
    trained_remark: str
    costs: tuple[ResourceUsage, ...]
    arms: tuple[ArmFacts, ...]
    failures: tuple[Failure, ...]
    raw: tuple[RawRun, ...]
    torn: bool
    gpu: GpuReport | None
    """None if no GPU was requested."""
    controls_line: str
    outlook: PilotResult | None
    """The result of the pilot; None: no pilot, or without result."""
    course: Course | None = None
    """The looks of a group-sequential session; None: judged once, or still in its pilot."""
    explanation: Ablation | None = None
    """The ablation of the session made next to this one to explain its difference."""

    @property
    def several(self) -> bool:
        """Return whether the session has more than one variant, so that each must be named."""
        return len(self.variants) > 1

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Return every verdict on measured claims, variant by variant."""
        return tuple(v for part in self.judged.comparisons for v in part.verdicts)

    def form_of(self, verdict: Verdict) -> Form:
        """Return the form (percent or factor) of every effect printed of the verdict's variant."""
        return next(part.form for part in self.variants if part.variant == verdict.variant)

    def reason_of(self, verdict: AnyVerdict) -> str:
        """Return why a verdict has its word, as a sentence."""
        if isinstance(verdict, Verdict):
            return reason_text(verdict, self.form_of(verdict))
        return untimed_text(verdict)

    @property
    def same_work_held(self) -> bool:
        """Return whether every variant's arms did the same work (true for one arm)."""
        return all(part.same_work.held for part in self.judged.comparisons)
