"""A claim and its verdict in words."""

from __future__ import annotations

from collections.abc import Mapping

from kit.judge.verdict import Verdict
from kit.judge.words import (
    EQUIVALENT,
    INCONCLUSIVE,
    NOT_TESTABLE,
    OPPOSITE,
    REPRODUCED,
    SAME_DIRECTION,
    Word,
)
from kit.report.effects import Form, margin_words
from kit.report.numbers import claimed, effect
from kit.study.model import Claim, Direction

_FASTER, _SLOWER, _EQUAL = Direction.FASTER, Direction.SLOWER, Direction.EQUAL
_PART = "Holds in direction; the size differs or is not settled"
_AGAINST = "Does not hold, the opposite was measured"
_SAME = "Does not hold, both are equally fast"
OPENINGS: Mapping[tuple[Direction, Word, Direction | None], str] = {
    (_FASTER, REPRODUCED, _FASTER): "Holds",
    (_FASTER, SAME_DIRECTION, _FASTER): _PART,
    (_FASTER, EQUIVALENT, _EQUAL): _SAME,
    (_FASTER, OPPOSITE, _SLOWER): _AGAINST,
    (_FASTER, INCONCLUSIVE, None): "Inconclusive",
    (_FASTER, NOT_TESTABLE, None): "Not testable here",
    (_SLOWER, REPRODUCED, _SLOWER): "Holds",
    (_SLOWER, SAME_DIRECTION, _SLOWER): _PART,
    (_SLOWER, EQUIVALENT, _EQUAL): _SAME,
    (_SLOWER, OPPOSITE, _FASTER): _AGAINST,
    (_SLOWER, INCONCLUSIVE, None): "Inconclusive",
    (_SLOWER, NOT_TESTABLE, None): "Not testable here",
    (_EQUAL, REPRODUCED, _EQUAL): "Holds, both are equally fast",
    (_EQUAL, OPPOSITE, _FASTER): "Does not hold, {contender} is faster",
    (_EQUAL, OPPOSITE, _SLOWER): "Does not hold, {contender} is slower",
    (_EQUAL, INCONCLUSIVE, None): "Inconclusive",
    (_EQUAL, NOT_TESTABLE, None): "Not testable here",
}
"""The start of a sentence on a verdict, by claimed direction, word and measured direction."""


def opening(verdict: Verdict, contender: str) -> str:
    """Return the start of a sentence on the verdict, such as "Holds"."""
    key = (verdict.claim.direction, verdict.word, found(verdict))
    return OPENINGS[key].format(contender=contender)


def found(verdict: Verdict) -> Direction | None:
    """Return the measured direction; None if undecided."""
    direction, word = verdict.claim.direction, verdict.word
    if word in (REPRODUCED, SAME_DIRECTION):
        return direction
    if word == EQUIVALENT:
        return _EQUAL
    if word != OPPOSITE:
        return None
    if direction is not _EQUAL:
        return _SLOWER if direction is _FASTER else _FASTER
    gain = None if verdict.measured is None else verdict.measured.gain_percent
    return _FASTER if gain is not None and gain > 0 else _SLOWER


def claimed_text(claim: Claim, form: Form) -> str:
    """Return the claimed effect: as published, then in the form of the comparison."""
    if claim.equal_within_percent is None:
        return claimed(claim.published_gain_percent, form)
    if form is Form.GAIN:
        return claimed_short(claim, form)
    return f"equal {margin_words(claim.equal_within_percent, form)}"


def claimed_short(claim: Claim, form: Form) -> str:
    """Return the claimed effect for a table: "+6.5 %" or "equal within 5 %"."""
    if claim.equal_within_percent is None:
        return effect(claim.published_gain_percent, form)
    return f"equal within {claim.equal_within_percent:g} %"
