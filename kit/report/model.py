"""The report model: everything a report shows, computed once for every format.

Strings are as they came; each renderer (``kit.report.render``) makes them safe for its format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kit.judge.ablation import Ablation
from kit.judge.comparison import Comparison, Judged
from kit.judge.cost import FitCost
from kit.judge.executable import ExecutableVerdict
from kit.judge.pilot import Outlook
from kit.judge.statistics import Estimate, RunStatistics
from kit.judge.training import Trained, TrainingVerdict
from kit.judge.verdict import Verdict
from kit.plan.model import Kind
from kit.plan.roles import MAIN, RoleName
from kit.records.host import HostConditions
from kit.records.images import ArmImage
from kit.records.record import Cgroup, Fit
from kit.records.session import Header
from kit.report.effects import Form
from kit.report.gpu import GpuReport
from kit.report.reasons import reason_text, untimed_text
from kit.study.model import Claim, Direction, Study, Variant

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
    host: HostConditions
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
