"""What a pilot said, in sentences: printed before a session goes on, and in its report."""

from __future__ import annotations

from kit.judge.pilot import DesignOutlook, Outlook
from kit.judge.power import MOST_BLOCKS, POWERS, Need


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
            f"{claim} (needs {_blocks(needed)} blocks)" for claim, needed in found.undecided.items()
        )
        lines.append(
            f"Not reproduced with {POWERS[0]:.0%} power by so many, though true as published: "
            f"{named}."
        )
    return tuple(lines)


def _design(design: DesignOutlook, found: Outlook) -> str:
    return (
        f"Pilot of {design.blocks} {design.design} blocks (one with its controls takes "
        f"{design.block_s:.0f} s): SD of the log "
        f"ratio {design.sd_log:.4f}, planned with {design.planning_sd:.4f}. Blocks for "
        f"{found.claim} ({found.wanted_gain_percent:g} %): "
        f"{'; '.join(_need(need, found) for need in design.needs)}."
    )


def _need(need: Need, found: Outlook) -> str:
    parts = [f"direction {_blocks(need.direction)}", f"size {_blocks(need.size)}"]
    if found.slowdown_percent is not None:
        slowed = _blocks(need.slowed)
        parts.append(f"the control slowed by {found.slowdown_percent:g} % {slowed}")
    return f"{_blocks(need.blocks)} at {need.power:.0%} power ({', '.join(parts)})"


def _blocks(number: int | None) -> str:
    return f"over {MOST_BLOCKS}" if number is None else str(number)
