"""Consistency claims: does the paper agree with itself? Arithmetic alone, no container.

A claim names its rule and gives the published facts that the rule works on; the
word comes out of the rule. Each rule answers with what it found, "" where nothing
contradicts.
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
class Finding:
    """The word on one consistency claim, and what the arithmetic gave."""

    claim: ConsistencyClaim
    word: ConsistencyWord
    reason: str


def findings(study: Study) -> tuple[Finding, ...]:
    """One finding a consistency claim, in the study's order."""
    return tuple(_finding(claim, study) for claim in study.consistency)


def _finding(claim: ConsistencyClaim, study: Study) -> Finding:
    contradiction, agreement = _RULES[claim.rule](claim.facts, study)
    if contradiction:
        return Finding(claim, INCONSISTENT, contradiction)
    return Finding(claim, CONSISTENT, agreement)


def _rounds(facts: Mapping[str, Any], study: Study) -> tuple[str, str]:
    """A number of the text is the figure's, rounded or cut to the text's digits."""
    name = facts["statistic"]
    wrong: list[str] = []
    right: list[str] = []
    for stack, text in facts["text"].items():
        exact = _seconds(study.paper, stack, name)
        digits = Decimal(1).scaleb(Decimal(text).as_tuple().exponent)  # type: ignore[arg-type]
        kinds = (ROUND_HALF_UP, ROUND_DOWN)
        possible = {str(Decimal(repr(exact)).quantize(digits, rounding=kind)) for kind in kinds}
        said = f"{stack} {name}: text {text} s, figure {exact} s"
        (right if text in possible else wrong).append(said)
    gain = figures_gain(study, name)
    stated = facts["text_gain_percent"]
    if wrong and gain is not None:
        wrong.append(f"by the figures the gain is {gain:.2f} %, the text says {stated:g} %")
    return "; ".join(wrong), "; ".join(right)


def _one_gain(facts: Mapping[str, Any], study: Study) -> tuple[str, str]:
    """A mean and a total over the same number of repeats have one ratio."""
    stated = facts["text_gain_percent"]
    figures = {name: figures_gain(study, name) for name in stated}
    text = ", ".join(f"{name} {gain:g} %" for name, gain in stated.items())
    by_figures = ", ".join(f"{n} {g:.2f} %" for n, g in figures.items() if g is not None)
    said = f"the text says {text}; the figures give {by_figures}"
    apart = max(stated.values()) - min(stated.values()) > GAIN_TOLERANCE_PERCENT
    return (said, "") if apart else ("", said)


def _mean_times_repeats(_facts: Mapping[str, Any], study: Study) -> tuple[str, str]:
    """In each figure the mean times the repeats is the total."""
    repeats = study.protocol.published_repeats
    wrong: list[str] = []
    right: list[str] = []
    for stack, row in study.paper.figures.items():
        product = row.mean * repeats
        said = f"{row.where} ({stack}): {row.mean} s x {repeats} = {product:.6f} s"
        said += f", total {row.total} s"
        agrees = math.isclose(product, row.total, rel_tol=RELATIVE_TOLERANCE)
        (right if agrees else wrong).append(said)
    return "; ".join(wrong), "; ".join(right)


def _same_value(facts: Mapping[str, Any], _study: Study) -> tuple[str, str]:
    """What is stated in several places is the same in all of them."""
    stated = facts["stated"]
    said = "; ".join(f"{where}: {value}" for where, value in stated.items())
    return (said, "") if len({str(value) for value in stated.values()}) > 1 else ("", said)


def _tick_unit(facts: Mapping[str, Any], _study: Study) -> tuple[str, str]:
    """Ticks divided by the printed divisor give the seconds that the figure prints."""
    per_second, divisor = facts["ticks_per_second"], facts["divisor"]
    factor = per_second / divisor
    most = round(math.log10(divisor))
    shown = {value: -int(Decimal(value).as_tuple().exponent) for value in facts["printed"]}
    too_fine = {value: digits for value, digits in shown.items() if digits > most}
    said = f"{per_second} ticks a second divided by {divisor} print {factor:g} times the seconds"
    if factor != 1 or too_fine:
        fine = ", ".join(f"{value} has {digits}" for value, digits in too_fine.items())
        more = f"; whole ticks over {divisor} have at most {most} decimals, {fine}" if fine else ""
        return said + more, ""
    return "", said


def _name_exists(facts: Mapping[str, Any], _study: Study) -> tuple[str, str]:
    """A function that a listing calls is one the library has."""
    called, provided = facts["called"], facts["provided"]
    said = f"the listing calls {called}, {facts['library']} has {', '.join(provided)}"
    return ("", said) if called in provided else (said, "")


def _step_order(facts: Mapping[str, Any], study: Study) -> tuple[str, str]:
    """The stack with the longer steps is the one with the longer total."""
    steps = facts["ms_per_step"]
    (baseline_low, baseline_high), (contender_low, contender_high) = (
        steps[study.baseline],
        steps[study.contender],
    )
    stacks = (study.baseline, study.contender)
    baseline, contender = (_seconds(study.paper, stack, "total") for stack in stacks)
    said = (
        f"steps: {stacks[0]} {baseline_low:g} to {baseline_high:g} ms, {stacks[1]} "
        f"{contender_low:g} to {contender_high:g} ms; totals: {stacks[0]} {baseline:.2f} s, "
        f"{stacks[1]} {contender:.2f} s"
    )
    against = (baseline_high < contender_low and baseline > contender) or (
        contender_high < baseline_low and contender > baseline
    )
    return (said, "") if against else ("", said)


def _seconds(paper: Paper, stack: str, statistic: str) -> float:
    seconds = published_seconds(paper, stack, statistic)
    if seconds is None:
        raise InputError(
            f"claims.yaml: a consistency claim asks for {stack} {statistic}, which study.yaml's "
            "paper.figures does not give",
            "add it to the figures, or take the claim out",
        )
    return seconds


_Rule = Callable[[Mapping[str, Any], Study], tuple[str, str]]
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
