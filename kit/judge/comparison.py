"""The judged session: per variant the paired blocks, same work, estimates, verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kit.judge.consistency import Finding, findings
from kit.judge.executable import ExecutableVerdict, judge_executable
from kit.judge.order import Drift, OrderEffect, Outlier, drift, order_effect, outliers
from kit.judge.pairing import (
    DOTNET,
    PYTHON,
    ArmPair,
    Exclusion,
    PairedBlock,
    arm_pairs,
    estimate_over,
    pair_blocks,
    usable_runs,
)
from kit.judge.samework import SameWork, same_work
from kit.judge.statistics import Estimate, RunStatistics
from kit.judge.verdict import Verdict, judge_claims
from kit.measure.session import Session
from kit.study.model import Study

STATISTICS = ("min", "max", "mean", "total", "hardened", "cold", "cpu")
"""Every statistic that is estimated, claimed or not."""


@dataclass(frozen=True)
class Comparison:
    """The two arms of one variant, compared. ``missing``: what it lacks, if anything."""

    pair: ArmPair
    missing: tuple[str, ...]
    same_work: SameWork
    blocks: tuple[PairedBlock, ...]
    estimates: Mapping[str, Estimate]
    order: OrderEffect
    drifts: tuple[Drift, ...]
    outliers: tuple[Outlier, ...]
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class Judged:
    """A session, judged. ``runs`` are the timed runs that count, in the order they ran."""

    runs: tuple[RunStatistics, ...]
    exclusions: tuple[Exclusion, ...]
    comparisons: tuple[Comparison, ...]
    findings: tuple[Finding, ...]
    """On the consistency claims, which no session is needed for."""
    executable: tuple[ExecutableVerdict, ...]


def judge(session: Session, study: Study) -> Judged:
    """Everything that can be said of the session. Raises InputError for a stranger arm."""
    runs, exclusions = usable_runs(session)
    left_out = list(exclusions)
    comparisons = []
    for pair in arm_pairs(session, study):
        blocks, unpaired = pair_blocks(runs, pair)
        left_out.extend(unpaired)
        missing = _missing(session, pair, runs, exclusions)
        work = same_work(session, pair.arms())
        comparisons.append(
            Comparison(
                pair=pair,
                missing=missing,
                same_work=work,
                blocks=blocks,
                estimates={name: estimate_over(name, blocks) for name in STATISTICS},
                order=order_effect(blocks),
                drifts=tuple(drift(runs, arm) for arm in pair.arms()),
                outliers=outliers(blocks),
                verdicts=judge_claims(
                    claims=study.claims,
                    paper=study.paper,
                    variant=pair.variant,
                    blocks=blocks,
                    missing=missing,
                    work=work,
                    fidelity=session.header.fidelity,
                ),
            )
        )
    executable = judge_executable(study.executable, session.executable, session.header.fidelity)
    ordered = sorted(left_out, key=lambda e: (e.block, e.arm, e.run_id, e.reason))
    return Judged(runs, tuple(ordered), tuple(comparisons), findings(study), executable)


def _missing(
    session: Session,
    pair: ArmPair,
    runs: Sequence[RunStatistics],
    exclusions: Sequence[Exclusion],
) -> tuple[str, ...]:
    """What a claim about both stacks lacks: an arm of the plan, or any good run of it.

    Of a variant that could not be planned at all: every reason for that.
    """
    gpu = session.header.gpu
    if gpu is not None and not pair.arms():
        return tuple(problem.what for problem in gpu.problems)
    problems = []
    for stack, arm in ((PYTHON, pair.python), (DOTNET, pair.dotnet)):
        if arm is None:
            problems.append(f"the plan holds no {stack} arm of variant {pair.variant}")
        elif not any(run.arm == arm for run in runs):
            reasons = [e.reason for e in exclusions if e.arm == arm]
            why = f" ({len(reasons)} left out; {reasons[0]})" if reasons else ""
            problems.append(f"no usable run of {arm}{why}")
    return tuple(problems)
