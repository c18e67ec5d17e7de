"""The looks at a group-sequential session in sentences, for the terminal and for its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kit.judge.effects import is_informative
from kit.judge.statistics import Interval
from kit.plan.model import DIRECTION, Plan, Stopping
from kit.records.session import Ending, Look, LookedAt
from kit.report.numbers import NONE, UNDETERMINED, Form, brackets_text, common, format_effect

if TYPE_CHECKING:
    from kit.report.model import Course

_ENDINGS: dict[Ending, str] = {
    "settled": "the claim is settled",
    "last block": "the plan has no further block",
    "futile": "the blocks that are left would hardly settle the claim",
    "minutes": "the next block would exceed the minutes of the budget",
}


def look_line(found: Look, plan: Plan) -> str:
    """Return a line for the terminal: the estimates at a look, and what the session does next."""
    estimates = "; ".join(map(_estimate, found.lead)) or "nothing to estimate"
    return f"after block {found.blocks}: {estimates}; {_next(found, plan)}"


def ending_text(ending: Ending) -> str:
    """Return why a group-sequential session ended, as a clause without a full stop."""
    return _ENDINGS[ending]


def rule_text(rule: Stopping, most: int) -> str:
    """Return a stopping rule as a clause; ``most`` is the session's maximum number of blocks."""
    aim = "direction" if rule.until == DIRECTION else "direction and size"
    verb = "is" if rule.until == DIRECTION else "are"
    limit = f", or when the next block would end after {rule.minutes} min" if rule.minutes else ""
    return (
        f"looks after each block from block {rule.first_look} on; ends when the {aim} of the lead "
        f"claim {verb} settled, after {most} blocks, or when the chance to settle it is below "
        f"{rule.futility:.0%}{limit}"
    )


def blocks_text(plan: Plan, course: Course | None) -> str:
    """Return the number of judged blocks as text; ``course`` None: those of the plan.

    Of a group-sequential session the text is "12 of at most 40": blocks made, and the maximum.
    """
    return str(plan.blocks) if course is None else made_text(course)


def made_text(course: Course) -> str:
    """Return the blocks made and the maximum: "12 of at most 40"."""
    return f"{course.blocks} of at most {course.most}"


def course_facts(course: Course) -> tuple[tuple[str, str], ...]:
    """Return two rows, name and text: the stopping rule of a session, and why it ended."""
    ended = "not yet" if course.ending is None else ending_text(course.ending)
    return ("stopping rule", rule_text(course.rule, course.most)), ("ended", ended)


def course_line(course: Course) -> str:
    """Return a sentence: after how many blocks a group-sequential session ended, and why."""
    blocks = made_text(course)
    if course.ending is None:
        return f"Blocks: {blocks}; the session has not ended."
    return f"Blocks: {blocks}; the session ended because {ending_text(course.ending)}."


def interval_at(at: LookedAt) -> Interval | None:
    """Return the repeated interval of gains at a look; None: too few pairs."""
    if at.low_percent is None or at.high_percent is None:
        return None
    return Interval(at.low_percent, at.high_percent)


def estimate_texts(at: LookedAt, form: Form) -> tuple[str, str]:
    """Return the gain at a look and its repeated interval, such as "+6.4 %" and "[+3.0, +10.0]".

    Both are printed as factors if ``form`` is one, or if one of the numbers is a factor of two or
    more. A dash for one that is missing, a fixed text for an interval that is not informative.
    """
    bounds = interval_at(at)
    if bounds is None:
        return format_effect(at.gain_percent, form), NONE
    if not is_informative(bounds):
        return format_effect(at.gain_percent, form), UNDETERMINED
    form = common(form, at.gain_percent, bounds)
    return format_effect(at.gain_percent, form), brackets_text(bounds.low, bounds.high, form)


def _estimate(at: LookedAt) -> str:
    bounds = interval_at(at)
    if at.gain_percent is None or bounds is None or not is_informative(bounds):
        return f"{at.claim} {at.variant}: {at.pairs} pairs do not determine it yet"
    return f"{at.claim} {at.variant}: so far {' '.join(estimate_texts(at, Form.GAIN))}"


def _next(found: Look, plan: Plan) -> str:
    if found.ending is not None:
        return f"the session ends: {ending_text(found.ending)}"
    if found.likely_blocks is None:
        return f"goes on, up to {plan.blocks} blocks"
    return f"goes on, probably to block {found.likely_blocks} of at most {plan.blocks}"
