"""The extent of a plan for a budget: a study's tier, or the blocks that fit in minutes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, Literal

from kit.errors import InputError
from kit.plan.blocks import BlockMaker, designs_of
from kit.plan.model import (
    ALTERNATING,
    AUTO,
    DUET,
    MAX_BLOCKS,
    SIZE,
    Design,
    Stopping,
    Until,
)
from kit.plan.roles import MAIN, RoleName, roles_named
from kit.study.model import Study, Tier, lead_claim

MINUTES = re.compile(r"(\d{1,4})m")  # up to a week
PILOT_BLOCKS = 5
"""Pilot blocks of a budget in minutes; a tier sets its own number."""
MIN_AFTER_PILOT = 6
"""Judged blocks: with fewer, p of an exact permutation test cannot be below 5 % (2 / 2^6)."""
FIRST_LOOK = 6
"""Blocks before the first look of a group-sequential session, for the reason above."""
SHAPE = 0.1
"""Of the boundaries, near O'Brien and Fleming's: chosen by simulation, see docs/method.md."""
FUTILITY = 0.2
"""A session ends if the chance to settle the lead claim is below this."""
MAX_SEQUENTIAL = 200
"""Most blocks of a group-sequential session: the exact boundaries of more take minutes."""
Sizing = Literal["looks", "pilot", "fixed"]
LOOKS: Final = "looks"
BY_PILOT: Final = "pilot"
FIXED: Final = "fixed"
"""What decides the number of blocks: looks at the session, a pilot (as in logs of form 6), or the
request alone. With ``AUTO`` a pilot chooses the design before the looks."""


@dataclass(frozen=True)
class Extent:
    """The extent of a plan: the number of judged blocks, and the controls in each of them.

    With a ``pilot`` of so many blocks (0: without one) ``blocks`` is the maximum that may
    follow it, within ``minutes`` in all unless None; with ``stopping`` it is the maximum too.
    """

    blocks: int
    controls: tuple[RoleName, ...]
    pilot: int = 0
    minutes: int | None = None
    stopping: Stopping | None = None


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


def extent_of(
    maker: BlockMaker,
    tier: Tier,
    design: Design,
    blocks: int | None,
    sizing: Sizing = LOOKS,
    until: Until = SIZE,
) -> Extent:
    """Return the extent of a plan of that tier; ``maker`` generates its judged blocks.

    Requested ``blocks`` are all made. Raises InputError where the minutes of a budget are too
    few for two blocks.
    """
    # Without a comparison or a claim there is nothing to look at.
    looked_at = maker.can_pair and lead_claim(maker.study.claims) is not None
    piloted = sizing == BY_PILOT or (sizing == LOOKS and (design == AUTO or not looked_at))
    if tier.blocks:
        found = _of_tier(maker, tier, piloted)
    else:
        found = _in_minutes(maker, tier, design, piloted)
    if blocks is not None:
        return Extent(blocks, found.controls)
    if sizing != LOOKS or not looked_at or found.blocks <= FIRST_LOOK:
        return found
    rule = Stopping(FIRST_LOOK, SHAPE, FUTILITY, until, found.minutes)
    return replace(found, blocks=min(found.blocks, MAX_SEQUENTIAL), stopping=rule)


def _of_tier(maker: BlockMaker, tier: Tier, piloted: bool) -> Extent:
    if tier.pilot and not maker.can_pair:
        # Without a comparison there is no spread to plan with.
        return Extent(tier.pilot, roles_named(tier.controls))
    pilot = tier.pilot or 0
    return Extent(tier.blocks, roles_named(tier.controls), pilot if piloted else 0)


def _in_minutes(maker: BlockMaker, tier: Tier, design: Design, piloted: bool) -> Extent:
    """Return the extent that fits a budget in minutes; the fewest controls if few blocks fit."""
    minutes = int(tier.name.removesuffix("m"))
    left = minutes * 60 - maker.identity_seconds()
    if maker.can_pair and not piloted:
        fitting = _fitting(left, maker.seconds(ALTERNATING if design == AUTO else design))
        if fitting > FIRST_LOOK:
            return Extent(fitting, roles_named(tier.controls), minutes=minutes)
    elif maker.can_pair:
        kinds = designs_of(design)
        pilot_s = sum(maker.piloting().seconds(kind) for kind in kinds) * PILOT_BLOCKS
        block_s = max(maker.seconds(kind) for kind in kinds)
        if left >= pilot_s + MIN_AFTER_PILOT * block_s:
            fitting = _fitting(left - pilot_s, block_s)
            return Extent(fitting, roles_named(tier.controls), PILOT_BLOCKS, minutes)
    return _few_blocks(maker, minutes, left, design)


def _few_blocks(maker: BlockMaker, minutes: int, left: float, design: Design) -> Extent:
    """Return an extent without a pilot, with the controls of the tier that has the fewest.

    Raises InputError where fewer than two blocks fit.
    """
    least = min(maker.study.protocol.tiers.values(), key=lambda tier: len(tier.controls))
    controls = roles_named(least.controls)
    smallest = replace(maker, roles=(MAIN, *controls))
    block_s = smallest.seconds(DUET if design == DUET else ALTERNATING)
    blocks = _fitting(left, block_s)
    if blocks < 2:
        needed = -(-(maker.identity_seconds() + 2 * block_s) // 60)
        raise InputError(
            f"--budget: {minutes} minutes do not hold two blocks of the study",
            f"give at least {needed:.0f}m, or fewer --arms",
        )
    return Extent(blocks, controls, minutes=minutes)


def _fitting(seconds: float, block_s: float) -> int:
    """Return the number of blocks that fit, at most ``MAX_BLOCKS``: the cost is a guess."""
    return int(min(seconds // block_s, MAX_BLOCKS))
