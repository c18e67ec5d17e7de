"""The next command after a verdict that leaves something open: what it would settle, how long."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from kit.errors import InputError
from kit.judge.controls import failing
from kit.judge.power import POWERS
from kit.judge.reasons import Capped, StillOpen
from kit.judge.words import INCONCLUSIVE
from kit.plan.budget import MAX_SEQUENTIAL
from kit.plan.model import DUET
from kit.records.command import parse_command, shown, without_option
from kit.records.session import moment
from kit.report.reasons import AIMS

if TYPE_CHECKING:
    from kit.judge.verdict import Verdict
    from kit.report.model import RawRun, ReportModel

_OF_THIS_SESSION = ("--budget", "--blocks", "--seed", "--until")
"""Options that another session does not repeat."""
_LONGEST_MIN = 1e6
"""Longer times cannot be meant: a log may hold any."""


@dataclass(frozen=True)
class NextStep:
    """A command to type next, and what for, as a clause."""

    command: str
    purpose: str


def next_step(model: ReportModel) -> NextStep | None:
    """Return what to do about the headline's verdict; None: it leaves nothing open.

    None too for a shard or merged shards, whose number of blocks their workflow sets, for arms
    that did not do the same work, and for a recorded command that kit cannot have written.
    """
    lead, header = model.lead, model.header
    if lead is None or header.shard or header.shards or not model.same_work_held:
        return None
    try:
        parse_command(header.command)
    except InputError:
        return None
    if lead.word == INCONCLUSIVE and isinstance(lead.reason, Capped):
        return _quieter(model)
    if lead.still_open is not None:
        return _more_blocks(model, lead.still_open)
    return _exact(model, lead)


def _quieter(model: ReportModel) -> NextStep | None:
    """Return the step after controls that failed or throttling: the same on a quieter machine."""
    controls = [control for part in model.variants for control in part.comparison.controls]
    if not failing(controls):
        return None
    if model.header.plan.design == DUET:
        return NextStep(shown("doctor"), "shows what keeps this machine busy: a control failed")
    command = f"{without_option(_base(model), '--design')} --design {DUET}"
    return NextStep(command, "is less sensitive to what else the machine does: a control failed")


def _more_blocks(model: ReportModel, found: StillOpen) -> NextStep | None:
    needed = found.blocks
    if needed is None or needed > MAX_SEQUENTIAL:
        why = f"at this spread, {MAX_SEQUENTIAL} blocks would not"
        if needed is None:
            why = "this session does not show how many blocks would"
        return NextStep(
            shown("doctor"), f"shows what keeps this machine busy: {why} {AIMS[found.aim]}"
        )
    plan = model.header.plan
    tiers = model.study.protocol.tiers
    larger = [
        tier for tier in tiers.values() if tier.blocks >= needed and tier.blocks > plan.blocks
    ]
    if not larger:
        command = f"{_base(model)} --budget {_largest(model)} --blocks {needed}"
        return NextStep(command, _promise(found, needed, _minutes(model, needed, _largest(model))))
    tier = min(larger, key=lambda tier: tier.blocks)
    name = next(name for name, other in tiers.items() if other == tier)
    command = f"{_base(model)} --budget {name}"
    return NextStep(command, _promise(found, tier.blocks, _minutes(model, tier.blocks, name)))


def _exact(model: ReportModel, lead: Verdict) -> NextStep | None:
    """Return the step after a settled verdict that rests on substitutes."""
    if not lead.indicative:
        return None
    return NextStep(
        f"{_base(model)} --budget {_budget(model)} --strict",
        f"names what is missing here to measure {' and '.join(model.substitutes)} as published",
    )


def _promise(found: StillOpen, blocks: int, minutes: str) -> str:
    return (
        f"takes at most {blocks} blocks{minutes} and would {AIMS[found.aim]} in "
        f"{10 * POWERS[0]:.0f} of 10 sessions at this spread"
    )


def _minutes(model: ReportModel, blocks: int, tier: str) -> str:
    """Return how long so many blocks of that tier take here, by this session's own runs."""
    timed = [(run, run.statistics) for run in model.raw if run.statistics is not None]
    if not timed:
        return ""
    wanted = model.study.protocol.tiers[tier]
    whole = median(_seconds(run) for run, _ in timed)
    fit = median(statistics.mean for _, statistics in timed)
    begin = max(whole - model.header.plan.repeats * fit, 0.0)
    at_once = 2 if model.header.plan.design == DUET else 1
    runs = blocks * (len(model.header.plan.arms) + len(wanted.controls)) / at_once
    minutes = runs * (begin + wanted.repeats * fit) / 60
    return f", about {math.ceil(minutes)} min here," if minutes < _LONGEST_MIN else ""


def _seconds(run: RawRun) -> float:
    """Return how long a run took, with the start of its container; 0 for foreign times."""
    try:
        begun, ended = map(moment, (run.started_at, run.finished_at))
        return max((ended - begun).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return 0.0


def _base(model: ReportModel) -> str:
    command = model.header.command
    for option in _OF_THIS_SESSION:
        command = without_option(command, option)
    return command


def _largest(model: ReportModel) -> str:
    tiers = model.study.protocol.tiers
    return max(tiers, key=lambda name: tiers[name].blocks)


def _budget(model: ReportModel) -> str:
    tiers = model.study.protocol.tiers
    return model.header.plan.tier if model.header.plan.tier in tiers else next(iter(tiers))
