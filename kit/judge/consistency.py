"""Consistency claims: does the paper agree with itself? Only arithmetic, no container.

A claim names its rule and gives the published facts that the rule checks. Each rule
returns whether the facts agree, which decides the word, and the numbers behind that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from kit.errors import InputError
from kit.judge.verdict import figures_gain, published_seconds
from kit.judge.words import CONSISTENT, INCONSISTENT, ConsistencyWord
from kit.study.model import ConsistencyClaim, Paper, Study

GAIN_TOLERANCE_PERCENT = 0.05
"""Two gains given to one decimal agree when they round alike; half of that decimal."""
RELATIVE_TOLERANCE = 1e-6
"""The figures print ten digits; their mean is rounded by less than this."""


@dataclass(frozen=True)
class TextNumber:
    """A statistic in seconds, as the text and as the figure print it."""

    stack: str
    statistic: str
    text: str
    figure: float


@dataclass(frozen=True)
class Rounded:
    """Numbers of the text that equal the figures' when rounded or cut."""

    numbers: tuple[TextNumber, ...]


@dataclass(frozen=True)
class NotRounded:
    """Numbers of the text that differ from the figures', with the gain by either.

    ``figures_gain_percent`` None: the figures lack the statistic.
    """

    numbers: tuple[TextNumber, ...]
    figures_gain_percent: float | None
    text_gain_percent: float


@dataclass(frozen=True)
class Gains:
    """Gains in percent by statistic: as stated in the text, and computed from the figures."""

    text: Mapping[str, float]
    figures: Mapping[str, float]


@dataclass(frozen=True)
class MeanAndTotal:
    """Seconds of one figure, at ``where``: its mean, that times the repeats, and its total."""

    where: str
    stack: str
    mean: float
    repeats: int
    product: float
    total: float


@dataclass(frozen=True)
class MeansAndTotals:
    """The figures that contradict themselves; all figures if none does."""

    figures: tuple[MeanAndTotal, ...]


@dataclass(frozen=True)
class Stated:
    """The values stated for one thing, by the place that states it."""

    values: Mapping[str, object]


@dataclass(frozen=True)
class Ticks:
    """The printed number as a multiple (``factor``) of the seconds.

    ``most`` is how many decimals a number of ticks over the divisor can have. ``too_fine`` has
    the printed values with more, and their decimals.
    """

    per_second: float
    divisor: float
    factor: float
    most: int
    too_fine: Mapping[str, int]


@dataclass(frozen=True)
class Called:
    """A function that a listing calls, and the functions that the library has."""

    name: str
    library: str
    provided: tuple[str, ...]


@dataclass(frozen=True)
class Steps:
    """The smallest and largest step of a stack in milliseconds, and its total in seconds."""

    stack: str
    low_ms: float
    high_ms: float
    total_s: float


@dataclass(frozen=True)
class StepsAndTotals:
    """The steps and totals of both stacks."""

    baseline: Steps
    contender: Steps


Reason = Rounded | NotRounded | Gains | MeansAndTotals | Stated | Ticks | Called | StepsAndTotals


@dataclass(frozen=True)
class ConsistencyResult:
    """The word on one consistency claim, and the numbers behind it."""

    claim: ConsistencyClaim
    word: ConsistencyWord
    reason: Reason


def consistency_results(study: Study) -> tuple[ConsistencyResult, ...]:
    """Return one result per consistency claim, in the study's order.

    Raise InputError if a claim needs a figure that the study does not give.
    """
    return tuple(_result(claim, study) for claim in study.consistency)


def _result(claim: ConsistencyClaim, study: Study) -> ConsistencyResult:
    agrees, reason = _RULES[claim.rule](claim.facts, study)
    return ConsistencyResult(claim, CONSISTENT if agrees else INCONSISTENT, reason)


def _rounds(facts: Mapping[str, Any], study: Study) -> tuple[bool, Reason]:
    """Check that each number of the text is the figure's, rounded or cut to the text's digits."""
    name = facts["statistic"]
    numbers = tuple(
        TextNumber(stack, name, text, _seconds(study.paper, stack, name))
        for stack, text in facts["text"].items()
    )
    wrong = tuple(number for number in numbers if number.text not in _shortened(number))
    if not wrong:
        return True, Rounded(numbers)
    return False, NotRounded(wrong, figures_gain(study, name), facts["text_gain_percent"])


def _shortened(number: TextNumber) -> set[str]:
    """Return the figure's number, rounded and cut to the digits of the text."""
    digits = Decimal(1).scaleb(_exponent(number.text))
    exact = Decimal(repr(number.figure))
    return {str(exact.quantize(digits, rounding=kind)) for kind in (ROUND_HALF_UP, ROUND_DOWN)}


def _exponent(value: str) -> int:
    return int(Decimal(value).as_tuple().exponent)


def _one_gain(facts: Mapping[str, Any], study: Study) -> tuple[bool, Reason]:
    """Check that the gains of the mean and the total, over the same repeats, are equal."""
    text = facts["text_gain_percent"]
    figures = {name: figures_gain(study, name) for name in text}
    apart = max(text.values()) - min(text.values())
    given = {name: gain for name, gain in figures.items() if gain is not None}
    return apart <= GAIN_TOLERANCE_PERCENT, Gains(text, given)


def _mean_times_repeats(_facts: Mapping[str, Any], study: Study) -> tuple[bool, Reason]:
    """Check that in each figure the mean times the repeats is the total."""
    repeats = study.protocol.published_repeats
    figures = tuple(
        MeanAndTotal(row.where, stack, row.mean, repeats, row.mean * repeats, row.total)
        for stack, row in study.paper.figures.items()
    )
    wrong = tuple(figure for figure in figures if not _is_total(figure))
    return not wrong, MeansAndTotals(wrong or figures)


def _is_total(figure: MeanAndTotal) -> bool:
    return math.isclose(figure.product, figure.total, rel_tol=RELATIVE_TOLERANCE)


def _same_value(facts: Mapping[str, Any], _study: Study) -> tuple[bool, Reason]:
    """Check that a value stated in several places is the same in all of them."""
    stated = facts["stated"]
    return len({str(value) for value in stated.values()}) <= 1, Stated(stated)


def _tick_unit(facts: Mapping[str, Any], _study: Study) -> tuple[bool, Reason]:
    """Check that ticks over the published divisor are seconds, with no decimals too fine."""
    per_second, divisor = facts["ticks_per_second"], facts["divisor"]
    factor = per_second / divisor
    most = round(math.log10(divisor))
    shown = {value: -_exponent(value) for value in facts["printed"]}
    too_fine = {value: digits for value, digits in shown.items() if digits > most}
    agrees = factor == 1 and not too_fine
    return agrees, Ticks(per_second, divisor, factor, most, too_fine)


def _name_exists(facts: Mapping[str, Any], _study: Study) -> tuple[bool, Reason]:
    """Check that the library has a function that a listing calls."""
    called = Called(facts["called"], facts["library"], tuple(facts["provided"]))
    return called.name in called.provided, called


def _step_order(facts: Mapping[str, Any], study: Study) -> tuple[bool, Reason]:
    """Check that the stack with the longer steps does not have the shorter total."""
    baseline, contender = (
        _steps(stack, facts, study.paper) for stack in (study.baseline, study.contender)
    )
    against = _contradict(baseline, contender) or _contradict(contender, baseline)
    return not against, StepsAndTotals(baseline, contender)


def _steps(stack: str, facts: Mapping[str, Any], paper: Paper) -> Steps:
    low_ms, high_ms = facts["ms_per_step"][stack]
    return Steps(stack, low_ms, high_ms, _seconds(paper, stack, "total"))


def _contradict(quick: Steps, slow: Steps) -> bool:
    """Return whether every step of ``quick`` is shorter, but its total is longer."""
    return quick.high_ms < slow.low_ms and quick.total_s > slow.total_s


def _seconds(paper: Paper, stack: str, statistic: str) -> float:
    seconds = published_seconds(paper, stack, statistic)
    if seconds is None:
        raise InputError(
            f"claims.yaml: a consistency claim asks for {stack} {statistic}, which study.yaml's "
            "paper.figures does not give",
            "add it to the figures, or take the claim out",
        )
    return seconds


_Rule = Callable[[Mapping[str, Any], Study], tuple[bool, Reason]]
_RULES: Mapping[str, _Rule] = {
    "rounds": _rounds,
    "one_gain": _one_gain,
    "mean_times_repeats": _mean_times_repeats,
    "same_value": _same_value,
    "tick_unit": _tick_unit,
    "name_exists": _name_exists,
    "step_order": _step_order,
}
RULES = tuple(_RULES)
