"""Numbers as strings, in one form for every report. None is shown as a dash.

Effects are printed in one form for all of a variant (``kit.report.effects``): gains with one
decimal, or factors with two digits if one of them is a factor of two or more. An interval that
is too wide to be informative is "not determined". No number is printed with an exponent, and
no number in a log makes a report fail.
"""

from __future__ import annotations

import math

from kit.judge.effects import MAX_INFORMATIVE_RATIO, is_determined
from kit.judge.statistics import Estimate, Interval
from kit.report.effects import Form, brackets_text, effect_text, form_of, range_text, share_text

NONE = "-"
UNDETERMINED = "not determined"
"""The text for an interval that is not informative."""
UNDETERMINED_MEANS = f"the 95 % interval is wider than {MAX_INFORMATIVE_RATIO:g}x both ways"
OUT_OF_RANGE = "out of range"
_MAX_PLAUSIBLE = 1e12
"""Seconds, megabytes and counts of this size or more cannot be measurements."""
_RATIOS = 1000.0


def fixed(value: float | None, digits: int = 0, sign: bool = False) -> str:
    """Return a number with that many decimals and no exponent."""
    try:
        number = math.nan if value is None else float(value)
    except OverflowError:  # an integer of hundreds of digits
        number = math.inf
    if math.isnan(number):
        return NONE
    if abs(number) >= _MAX_PLAUSIBLE:
        return OUT_OF_RANGE
    return f"{number:{'+' if sign else ''}.{digits}f}"


def seconds(value: float | None, digits: int = 4) -> str:
    """Return seconds with that many decimals, without the unit."""
    return fixed(value, digits)


def scaled(value: float | None, unit: float, digits: int) -> str:
    """Return a number divided by ``unit``, with that many decimals."""
    try:
        return fixed(None if value is None else value / unit, digits)
    except OverflowError:
        return OUT_OF_RANGE


def megabytes(value: float | None) -> str:
    """Return bytes as megabytes (10^6), without the unit."""
    return scaled(value, 1e6, 1)


def gigabytes(value: float | None) -> str:
    """Return bytes as gigabytes (10^9), such as "6.5 GB"."""
    return f"{scaled(value, 1e9, 1)} GB"


def share(value: float | None) -> str:
    """Return a share in percent, such as "12 %"; above ten, only "over 10 times"."""
    return NONE if value is None else share_text(value)


def effect(value: float | None, form: Form) -> str:
    """Return a gain in percent as "+6.4 %" or "6.7x faster"."""
    return NONE if value is None else effect_text(value, form)


def claimed(value: float | None, form: Form) -> str:
    """Return a claimed gain: in percent as published, then in the form of the comparison."""
    if value is None or form is Form.GAIN:
        return effect(value, form)
    return f"{value:+.1f} % ({effect_text(value, form)})"


def gain(estimate: Estimate | None, form: Form) -> str:
    """Return a measured effect with its interval: "+6.4 % [+4.1, +8.6]"."""
    if estimate is None:
        return NONE
    return gain_with(estimate.gain_percent, estimate.gain_interval, form)


def gain_with(value: float | None, bounds: Interval | None, form: Form) -> str:
    """Return a gain in percent with its interval; both are factors if one of them is."""
    if value is None:
        return NONE
    if not is_determined(bounds):
        return UNDETERMINED
    form = common(form, value, bounds)
    if bounds is None:
        return f"{effect_text(value, form)} (no interval)"
    return f"{effect_text(value, form)} {brackets_text(bounds.low, bounds.high, form)}"


def gain_in_words(estimate: Estimate, form: Form) -> str:
    """Return a measured effect for a sentence, without brackets."""
    value, bounds = estimate.gain_percent, estimate.gain_interval
    if value is None:
        return NONE
    if not is_determined(bounds):
        return f"{UNDETERMINED} ({UNDETERMINED_MEANS})"
    form = common(form, value, bounds)
    if bounds is None:
        return f"{effect_text(value, form)} (no interval)"
    return f"{effect_text(value, form)} (95 % interval {range_text(bounds.low, bounds.high, form)})"


def ratio(estimate: Estimate | None) -> str:
    """Return a ratio with its interval: "1.068 [1.043, 1.094]"."""
    if estimate is None or estimate.ratio is None:
        return NONE
    if not is_determined(estimate.gain_interval):
        return UNDETERMINED
    bounds = estimate.ratio_interval
    if bounds is None:
        return f"{_ratio(estimate.ratio)} (no interval)"
    return f"{_ratio(estimate.ratio)} [{_ratio(bounds.low)}, {_ratio(bounds.high)}]"


def trend(percent: float, form: Form) -> str:
    """Return a change of seconds in percent as an effect: "-4.2 % (plus: faster at the end)"."""
    text = effect_text(-percent, form)
    return f"{text} (plus: faster at the end)" if text.endswith("%") else f"{text} at the end"


def score(value: float) -> str:
    """Return a standardized deviation, signed; above 100, only "over +100" or "over -100"."""
    return f"{value:+.1f}" if abs(value) <= 100 else f"over {'+' if value > 0 else '-'}100"


def p_value(value: float | None) -> str:
    """Return a p value, such as "0.031" or "<0.001"."""
    if value is None or math.isnan(value):
        return NONE
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def p_equals(value: float | None) -> str:
    """Return a p value for a sentence, such as "p = 0.031"."""
    text = p_value(value)
    return f"p {text[0]} {text[1:]}" if text.startswith("<") else f"p = {text}"


def common(form: Form, value: float | None, bounds: Interval | None) -> Form:
    """Return the form of a number with its interval: factors if one of them is a factor."""
    ends = () if bounds is None else (bounds.low, bounds.high)
    return Form.FACTOR if form is Form.FACTOR else form_of([value, *ends])


def _ratio(value: float) -> str:
    if value > _RATIOS:
        return f"over {_RATIOS:.0f}"
    return f"below {1 / _RATIOS:g}" if value < 1 / _RATIOS else f"{value:.3f}"
