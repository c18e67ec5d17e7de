"""Several hosts: the estimates of each, and whether they agree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kit.judge.pairing import PairedBlock, estimate_over, log_ratios
from kit.judge.statistics import Estimate
from kit.plan.model import TIMED
from kit.records.session import Session

_MIN_BLOCKS = 2  # of a host, to know its spread


@dataclass(frozen=True)
class HostPart:
    """The blocks of one host, and their estimates. ``machine`` is the host's id in the log."""

    machine: str
    blocks: tuple[int, ...]
    estimates: Mapping[str, Estimate]


@dataclass(frozen=True)
class Hosts:
    """Every host's part, in the order of its first block; none if there is only one host.

    ``agreement``: by statistic, p of Welch's one-way test that the hosts have one mean log
    ratio (B. L. Welch, "On the comparison of several mean values", 1951). None: fewer than
    two hosts have two blocks.
    """

    parts: tuple[HostPart, ...]
    agreement: Mapping[str, float | None]


def by_host(session: Session, blocks: Sequence[PairedBlock], statistics: Sequence[str]) -> Hosts:
    """Return complete blocks grouped by the machine they ran on, with their estimates.

    Raise InputError for an unknown statistic.
    """
    machine_of = {e.block: e.machine for e in session.entries if e.kind == TIMED and e.record}
    grouped: dict[str, list[PairedBlock]] = {}
    for block in blocks:
        grouped.setdefault(machine_of[block.block], []).append(block)
    if len(grouped) < 2:
        return Hosts((), {})
    parts = tuple(
        HostPart(
            machine=machine,
            blocks=tuple(pair.block for pair in own),
            estimates={name: estimate_over(name, own) for name in statistics},
        )
        for machine, own in grouped.items()
    )
    agreement = {
        name: _agreement([log_ratios(name, own) for own in grouped.values()]) for name in statistics
    }
    return Hosts(parts, agreement)


def _agreement(groups: Sequence[list[float]]) -> float | None:
    from statsmodels.stats.oneway import anova_oneway

    varying = [logs for logs in groups if len(logs) >= _MIN_BLOCKS and max(logs) > min(logs)]
    if len(varying) < 2:
        return None
    p_value = float(anova_oneway(varying, use_var="unequal").pvalue)
    return None if math.isnan(p_value) else p_value
