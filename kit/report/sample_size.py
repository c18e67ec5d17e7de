"""The result of a pilot in sentences, for the terminal during a session and for its report."""

from __future__ import annotations

from kit.judge.effects import log_of
from kit.judge.pilot import DesignEstimate, PilotResult
from kit.judge.power import MAX_BLOCKS, POWERS, SampleSize
from kit.report.numbers import Form, effect_text, form_of, format_claimed, format_number, size_text


def pilot_lines(found: PilotResult | None, looked_at: bool = False) -> tuple[str, ...]:
    """Return lines on a pilot's result: spread and blocks needed, plan, claims it cannot decide.

    ``looked_at``: the session has looks, so that the number of blocks is the most.
    """
    if found is None:
        return ("Pilot: no estimate of the spread, so the fewest blocks are planned.",)
    wanted, smallest = found.wanted_gain_percent, found.detectable_gain_percent
    form = form_of([wanted, smallest])
    lines = [_design(design, found, form) for design in found.designs]
    detectable = ""
    if smallest is not None:
        size = size_text(log_of(smallest), wanted, form)
        detectable = f"; detectable with {POWERS[0]:.0%} power: {size}"
    lines.append(
        f"Fixed now: {'at most ' if looked_at else ''}{found.blocks} {found.design} blocks "
        f"({blocks_because(found)}), about {format_number(found.minutes_left)} more minutes"
        f"{detectable} and above."
    )
    if found.undecided:
        named = ", ".join(
            f"{claim} (needs {_blocks(needed)} blocks)" for claim, needed in found.undecided.items()
        )
        lines.append(
            f"Too few to reproduce with {POWERS[0]:.0%} power, if true as published: {named}."
        )
    return tuple(lines)


def blocks_because(found: PilotResult) -> str:
    """Return why the pilot fixed this design and number of blocks, as text.

    Raise TypeError for an unknown limit.
    """
    match found.limit:
        case "fewest":
            limit = "the fewest that are judged"
        case "power":
            limit = "for the wanted power"
        case "blocks" | "minutes":
            limit = f"the most within the budget's {found.budget} {found.limit}"
        case _:
            raise TypeError(f"{found.limit!r} limits no number of blocks")
    sooner = f"{found.design} blocks decide sooner here; " if found.sooner else ""
    return f"{sooner}{found.blocks} blocks, {limit}"


def _design(design: DesignEstimate, found: PilotResult, form: Form) -> str:
    equal = found.wanted_gain_percent == 0
    wanted = "equality" if equal else format_claimed(found.wanted_gain_percent, form)
    return (
        f"Pilot of {design.blocks} {design.design} blocks (one with its controls takes "
        f"{format_number(design.block_s)} s): SD of the log ratio "
        f"{format_number(design.sd_log, 4)}, planned with {format_number(design.planning_sd, 4)}. "
        f"Blocks for {found.claim} ({wanted}): "
        f"{'; '.join(_need(need, found, form) for need in design.needs)}."
    )


def _need(need: SampleSize, found: PilotResult, form: Form) -> str:
    parts = [f"direction {_blocks(need.direction)}", f"size {_blocks(need.size)}"]
    if found.wanted_gain_percent == 0:  # a claim of equality has no direction
        parts = [f"inside the margin {_blocks(need.size)}"]
    if found.slowdown_percent is not None:
        slowed = _blocks(need.slowed)
        parts.append(f"control {effect_text(-found.slowdown_percent, form)} {slowed}")
    return f"{_blocks(need.blocks)} at {need.power:.0%} power ({', '.join(parts)})"


def _blocks(number: int | None) -> str:
    return f"over {MAX_BLOCKS}" if number is None else str(number)
