"""What a pilot said, in sentences: printed before a session goes on, and in its report."""

from __future__ import annotations

from kit.judge.pilot import DesignOutlook, Outlook
from kit.judge.power import POWERS


def outlook_lines(found: Outlook | None) -> tuple[str, ...]:
    """Spread, blocks needed, what comes now, and what that cannot decide."""
    if found is None:
        return ("Pilot: its blocks tell no spread, so the fewest blocks are planned.",)
    lines = [_design(design, found) for design in found.designs]
    smallest = found.detectable_gain_percent
    detectable = "" if smallest is None else f"; found with {POWERS[0]:.0%} power: {smallest:.1f} %"
    lines.append(
        f"Fixed now: {found.blocks} {found.design} blocks ({found.reason}), about "
        f"{found.minutes_left:.0f} minutes more{detectable} and above."
    )
    if found.undecided:
        named = ", ".join(
            f"{claim} (needs {'over 1000' if needed is None else needed} blocks)"
            for claim, needed in found.undecided.items()
        )
        lines.append(f"Not decided with {POWERS[0]:.0%} power by so many: {named}.")
    return tuple(lines)


def _design(design: DesignOutlook, found: Outlook) -> str:
    needs = ", ".join(
        f"{need.blocks if need.blocks is not None else 'over 1000'} at {need.power:.0%}"
        for need in design.needs
    )
    return (
        f"Pilot of {design.blocks} {design.design} blocks (one with its controls takes "
        f"{design.block_s:.0f} s): SD of the log "
        f"ratio {design.sd_log:.4f}, planned with {design.planning_sd:.4f}. Blocks for "
        f"{found.claim} ({found.wanted_gain_percent:g} %): {needs} power."
    )
