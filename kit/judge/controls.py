"""Controls: comparisons whose answer is known.

The placebo compares the baseline with itself and must not differ. The slowed runs are
the baseline slowed by a known percentage, which the session must detect. If a control
does not hold, the session's other timings decide nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from kit.judge.effects import gain_of
from kit.judge.looks import fewest
from kit.judge.pairing import (
    ArmPair,
    Exclusion,
    PairedBlock,
    estimate_over,
    log_ratios,
    pair_blocks,
)
from kit.judge.power import SIZE_CONFIDENCE
from kit.judge.reasons import (
    ControlReason,
    PlaceboDiffers,
    PlaceboHeld,
    Slowdown,
    SlowdownElsewhere,
    SlowdownFound,
    SlowdownMissed,
    TooFewPairs,
)
from kit.judge.sensitivity import ALPHA, holm, paired_t_pvalue, tost_pvalue
from kit.judge.statistics import CONFIDENCE, Estimate, Interval, RunStatistics, half_width
from kit.plan.model import DUET, Design, Looks
from kit.plan.roles import MAIN, PLACEBO, RoleName, reference_of, slowdown_percent
from kit.study.model import Study, Variant

WARM_MEDIAN = "warm_median"
"""The statistic for judging a known slowdown: all fits but the cold one are slowed alike."""


@dataclass(frozen=True)
class Control:
    """One control of one variant. ``held`` None: not decided, see ``reason``.

    ``estimates``, by statistic, are of the ratio of its reference to the control; those of
    the placebo are the session's noise floor.
    """

    role: RoleName
    variant: Variant
    arm: str
    blocks: tuple[PairedBlock, ...]
    estimates: Mapping[str, Estimate]
    held: bool | None
    reason: ControlReason

    @property
    def is_open(self) -> bool:
        """Return whether the looks of a session neither find nor refute the known slowdown."""
        return self.held is None and isinstance(self.reason, SlowdownMissed)


def controls(
    runs: Sequence[RunStatistics],
    pair: ArmPair,
    roles: Sequence[RoleName],
    design: Design,
    study: Study,
    statistics: Sequence[str],
    looks: Looks | None = None,
) -> tuple[tuple[Control, ...], tuple[Exclusion, ...]]:
    """Return the planned controls of a variant, and their runs without a partner.

    Raise InputError for an unknown statistic.
    """
    found: list[Control] = []
    out: list[Exclusion] = []
    if pair.baseline is None or pair.contender is None:
        return (), ()
    for role in roles:
        partner = reference_of(role) if design == DUET else MAIN
        blocks, unpaired = pair_blocks(runs, (pair.baseline, partner), (pair.baseline, role))
        # `main_blocks` reports main runs without a partner.
        out += [e for e in unpaired if not (partner == MAIN and e.role == MAIN)]
        judge = _placebo if role == PLACEBO else _slowed
        held, reason = judge(blocks, study, looks)
        found.append(
            Control(
                role=role,
                variant=pair.variant,
                arm=pair.baseline,
                blocks=blocks,
                estimates={name: estimate_over(name, blocks, looks) for name in statistics},
                held=held,
                reason=reason,
            )
        )
    return tuple(found), tuple(out)


def failing(found: Sequence[Control]) -> tuple[Control, ...]:
    """Return the controls that do not hold or are undecided."""
    return tuple(control for control in found if not control.held)


def single_pair_log(estimate: Estimate) -> float | None:
    """Return half the 95 % prediction interval for the log ratio of one further pair of runs.

    It is that of a normal sample (t times SD times sqrt(1 + 1/n)), taken around no difference.
    None with fewer than three pairs.
    """
    if estimate.sd_log is None or estimate.pairs < 3:
        return None
    return half_width(estimate.sd_log, estimate.pairs) * math.sqrt(estimate.pairs + 1)


def _placebo(
    blocks: Sequence[PairedBlock], study: Study, looks: Looks | None
) -> tuple[bool | None, ControlReason]:
    names = tuple(dict.fromkeys(claim.statistic for claim in study.claims)) or (WARM_MEDIAN,)
    return placebo_holds({name: log_ratios(name, blocks) for name in names}, looks)


def placebo_holds(
    logs: Mapping[str, Sequence[float]], looks: Looks | None = None
) -> tuple[bool | None, ControlReason]:
    """Return whether the placebo holds and why, from the log ratios of each claimed statistic.

    It fails if one differs after Holm's adjustment and is not equivalent by two one-sided
    tests. None: too few pairs.
    """
    adjusted = holm(
        {
            name: paired_t_pvalue(found, looks=looks)
            for name, found in logs.items()
            if len(found) >= fewest(looks)
        }
    )
    known = {name: p for name, p in adjusted.items() if p is not None}
    if not known:
        pairs = max(map(len, logs.values()), default=0)
        return None, TooFewPairs(pairs, fewest(looks))
    for name, p in known.items():
        if p < ALPHA and tost_pvalue(logs[name], looks=looks) >= ALPHA:
            return False, PlaceboDiffers(name, p)
    return True, PlaceboHeld(min(known.values()))


def _slowed(
    blocks: Sequence[PairedBlock], study: Study, looks: Looks | None
) -> tuple[bool | None, ControlReason]:
    slower = [-log for log in log_ratios(WARM_MEDIAN, blocks)]
    return slowed_holds(slower, slowdown_percent(study), looks)


def slowed_holds(
    slower: Sequence[float], percent: float, looks: Looks | None = None
) -> tuple[bool | None, ControlReason]:
    """Return whether a slowdown of ``percent`` is found with that size, and why.

    ``slower`` are log ratios, slowed over reference, one per block. None: too few pairs, or with
    ``looks``, if it is not found yet.
    """
    if len(slower) < fewest(looks):
        return None, TooFewPairs(len(slower), fewest(looks))
    low, high = _interval(slower, CONFIDENCE, looks)
    # A gain below 0 is a slowdown of as many percent.
    gains = Interval(gain_of(-high), gain_of(-low))
    slowdown = Slowdown(percent, gain_of(-fmean(slower)), gains)
    least, most = _interval(slower, SIZE_CONFIDENCE, looks)
    possible = least <= math.log1p(percent / 100) <= most
    if low <= 0:
        return None if looks is not None and possible else False, SlowdownMissed(slowdown)
    if not possible:
        return False, SlowdownElsewhere(slowdown)
    return True, SlowdownFound(slowdown)


def _interval(logs: Sequence[float], confidence: float, looks: Looks | None) -> tuple[float, float]:
    # The injected wait is exact to microseconds only, so the interval is never narrower.
    half = max(half_width(stdev(logs), len(logs), confidence, looks), 1e-4)
    return fmean(logs) - half, fmean(logs) + half
