"""The extent of a plan for a budget: a study's tier, or the blocks that fit in minutes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from kit.errors import InputError
from kit.plan.blocks import BlockMaker, designs_of
from kit.plan.model import DUET, MAX_BLOCKS, SEQUENTIAL, Design
from kit.plan.roles import MAIN, RoleName, named
from kit.study.model import Study, Tier

MINUTES = re.compile(r"(\d{1,4})m")  # up to a week
PILOT_BLOCKS = 5
"""Pilot blocks of a budget in minutes; a tier sets its own number."""
MIN_AFTER_PILOT = 6
"""Judged blocks: with fewer, p of an exact permutation test cannot be below 5 % (2 / 2^6)."""


@dataclass(frozen=True)
class Extent:
    """The extent of a plan: the number of judged blocks, and the controls in each of them.

    With a ``pilot`` of so many blocks (0: without one) ``blocks`` is the maximum that may
    follow it, within ``minutes`` in all unless None.
    """

    blocks: int
    controls: tuple[RoleName, ...]
    pilot: int = 0
    minutes: int | None = None


def tier_of(study: Study, budget: str) -> Tier:
    """Return the tier of that name; for minutes such as "20m" a new one with 0 blocks.

    Raises InputError for a budget that is neither.
    """
    tiers = study.protocol.tiers
    if budget in tiers:
        return tiers[budget]
    if not MINUTES.fullmatch(budget):
        raise InputError(
            f"--budget: {budget!r} is neither a tier nor minutes",
            f"use {', '.join(tiers)}, or e.g. 20m",
        )
    # The container is the unit of replication: one more block gives more information
    # than more fits in the same containers.
    least = min(tiers.values(), key=lambda tier: tier.repeats)
    controls = dict.fromkeys(name for tier in tiers.values() for name in tier.controls)
    return Tier(budget, 0, least.repeats, tuple(controls), PILOT_BLOCKS)


def extent_of(maker: BlockMaker, tier: Tier, design: Design, blocks: int | None) -> Extent:
    """Return the extent of a plan of that tier; ``maker`` generates its judged blocks.

    With requested ``blocks`` there is no pilot. Raises InputError where the minutes of a
    budget are too few for two blocks.
    """
    found = _of_tier(maker, tier) if tier.blocks else _in_minutes(maker, tier, design)
    return found if blocks is None else Extent(blocks, found.controls)


def _of_tier(maker: BlockMaker, tier: Tier) -> Extent:
    if tier.pilot and not maker.can_pair:
        # Without a comparison there is no spread to plan with.
        return Extent(tier.pilot, named(tier.controls))
    return Extent(tier.blocks, named(tier.controls), tier.pilot or 0)


def _in_minutes(maker: BlockMaker, tier: Tier, design: Design) -> Extent:
    """Return the extent that fits a budget in minutes; without a pilot if few blocks fit."""
    minutes = int(tier.name.removesuffix("m"))
    left = minutes * 60 - maker.identity_seconds()
    if maker.can_pair:
        kinds = designs_of(design)
        pilot_s = sum(maker.piloting().seconds(kind) for kind in kinds) * PILOT_BLOCKS
        block_s = max(maker.seconds(kind) for kind in kinds)
        if left >= pilot_s + MIN_AFTER_PILOT * block_s:
            fitting = _fitting(left - pilot_s, block_s)
            return Extent(fitting, named(tier.controls), PILOT_BLOCKS, minutes)
    return _few_blocks(maker, minutes, left, design)


def _few_blocks(maker: BlockMaker, minutes: int, left: float, design: Design) -> Extent:
    """Return an extent without a pilot, with the controls of the tier that has the fewest.

    Raises InputError where fewer than two blocks fit.
    """
    least = min(maker.study.protocol.tiers.values(), key=lambda tier: len(tier.controls))
    controls = named(least.controls)
    smallest = replace(maker, roles=(MAIN, *controls))
    block_s = smallest.seconds(DUET if design == DUET else SEQUENTIAL)
    blocks = _fitting(left, block_s)
    if blocks < 2:
        needed = -(-(maker.identity_seconds() + 2 * block_s) // 60)
        raise InputError(
            f"--budget: {minutes} minutes do not hold two blocks of the study",
            f"give at least {needed:.0f}m, or fewer --arms",
        )
    return Extent(blocks, controls)


def _fitting(seconds: float, block_s: float) -> int:
    """Return the number of blocks that fit, at most ``MAX_BLOCKS``: the cost is a guess."""
    return int(min(seconds // block_s, MAX_BLOCKS))
