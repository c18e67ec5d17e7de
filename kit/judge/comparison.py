"""The judgement of a session: per variant the paired blocks, same work, estimates, verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kit.judge.consistency import ConsistencyResult, consistency_results
from kit.judge.controls import Control, controls
from kit.judge.executable import ExecutableVerdict, judge_executable
from kit.judge.hosts import Hosts, by_host
from kit.judge.interference import Flag, flags
from kit.judge.missing import Lack, missing
from kit.judge.order import Drift, OrderEffect, Outlier, drift, order_effect, outliers
from kit.judge.pairing import (
    ArmPair,
    Exclusion,
    PairedBlock,
    arm_pairs,
    estimate_over,
    main_blocks,
    usable_runs,
)
from kit.judge.samework import SameWork, same_work
from kit.judge.statistics import Estimate, RunStatistics
from kit.judge.throttling import unequal_throttling
from kit.judge.training import TrainingVerdict, judge_training
from kit.judge.verdict import Verdict, judge_claims
from kit.plan.roles import CONTROLS, MAIN
from kit.records.session import Session
from kit.study.model import Study

STATISTICS = ("min", "max", "mean", "total", "warm_median", "cold", "cpu")
"""Every statistic that is estimated, claimed or not."""


@dataclass(frozen=True)
class Comparison:
    """The comparison of the two arms of one variant. ``missing`` lists what the variant lacks."""

    pair: ArmPair
    missing: tuple[Lack, ...]
    same_work: SameWork
    blocks: tuple[PairedBlock, ...]
    controls: tuple[Control, ...]
    estimates: Mapping[str, Estimate]
    order: OrderEffect
    drifts: tuple[Drift, ...]
    outliers: tuple[Outlier, ...]
    verdicts: tuple[Verdict, ...]
    hosts: Hosts


@dataclass(frozen=True)
class Judgement:
    """The judgement of a session. ``runs`` are the usable timed runs, in the order they ran.

    ``main_runs`` are those of them that the claims are judged on, without the controls.
    """

    runs: tuple[RunStatistics, ...]
    main_runs: tuple[RunStatistics, ...]
    exclusions: tuple[Exclusion, ...]
    unpaired_runs: frozenset[str]
    """Ids of those of ``runs`` without a partner in their block."""
    comparisons: tuple[Comparison, ...]
    consistency: tuple[ConsistencyResult, ...]
    """The results of the consistency claims, which need no session."""
    executable: tuple[ExecutableVerdict, ...]
    training: tuple[TrainingVerdict, ...]
    flags: tuple[Flag, ...]
    """Disturbances of the host during runs; the runs still count."""


def judge(session: Session, study: Study) -> Judgement:
    """Return the judgement of a session: per variant the comparison of its arms and verdicts.

    Raise InputError for an arm that is not in the study, two arms of one stack and variant, an
    unknown statistic, a figure that the study lacks, and a log whose runs are not its plan's.
    """
    runs, exclusions = usable_runs(session)
    compared = [
        _compare(session, study, pair, runs, exclusions) for pair in arm_pairs(session, study)
    ]
    comparisons = tuple(comparison for comparison, _ in compared)
    unpaired = [exclusion for _, found in compared for exclusion in found]
    every = dict.fromkeys((*exclusions, *unpaired))
    return Judgement(
        runs=runs,
        main_runs=_main(runs),
        exclusions=tuple(sorted(every, key=lambda e: (e.block, e.arm, e.run_id))),
        unpaired_runs=frozenset(exclusion.run_id for exclusion in unpaired),
        comparisons=comparisons,
        consistency=consistency_results(study),
        executable=judge_executable(study.executable, session.executable, session.header.fidelity),
        training=tuple(
            verdict
            for each in comparisons
            for verdict in judge_training(
                session, study, each.pair.variant, each.blocks, each.missing, each.same_work
            )
        ),
        flags=flags(session.timed(), session.header.host.cpus),
    )


def _main(runs: Sequence[RunStatistics]) -> tuple[RunStatistics, ...]:
    return tuple(run for run in runs if run.role == MAIN)


def _compare(
    session: Session,
    study: Study,
    pair: ArmPair,
    runs: Sequence[RunStatistics],
    exclusions: Sequence[Exclusion],
) -> tuple[Comparison, tuple[Exclusion, ...]]:
    """Return the comparison of one variant, and its runs without a partner."""
    plan, main = session.header.plan, _main(runs)
    looks = plan.looks
    blocks, unpaired = main_blocks(main, pair)
    roles = tuple(role for role in plan.roles if role in CONTROLS)
    found, unpaired_controls = controls(runs, pair, roles, plan.design, study, STATISTICS, looks)
    lacks = missing(session, study, pair, main, exclusions)
    work = same_work(session, pair.arms(), study.protocol.same_work)
    hosts = by_host(session, blocks, STATISTICS)
    comparison = Comparison(
        pair=pair,
        missing=lacks,
        same_work=work,
        blocks=blocks,
        controls=found,
        estimates={name: estimate_over(name, blocks, looks) for name in STATISTICS},
        order=order_effect(blocks),
        # Over several hosts the order of the runs is the plan's, not that of time.
        drifts=() if hosts.parts else tuple(drift(main, arm) for arm in pair.arms()),
        outliers=outliers(blocks),
        verdicts=judge_claims(
            study=study,
            variant=pair.variant,
            blocks=blocks,
            missing=lacks,
            work=work,
            controls=found,
            throttled=unequal_throttling(session, blocks),
            fidelity=session.header.fidelity,
            looks=looks,
        ),
        hosts=hosts,
    )
    return comparison, (*unpaired, *unpaired_controls)
