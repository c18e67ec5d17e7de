"""Numbers as strings, in one form for every report. None is shown as a dash.

A gain is ``100 * (baseline - contender) / baseline``; a factor is how many times as fast or as
slow. Both are the same log ratio, but 85 % and 6.7x cannot be compared by eye. So all effects
of a variant are printed in one form: gains with one decimal while each is below a factor of
two, otherwise factors with two digits
(with two decimals below a factor of two).

An interval that is too wide to be informative is "not determined". No number is printed with
an exponent, and no number in a log makes a report fail.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import Enum

from kit.judge.effects import MAX_INFORMATIVE_RATIO, gains_of, is_informative, log_of
from kit.judge.pairing import PairedBlock, estimate_over
from kit.judge.sensitivity import EQUIVALENCE_PERCENT
from kit.judge.statistics import Estimate, Interval
from kit.study.model import Range, Study, equality_band

NONE = "-"
UNDETERMINED = "not determined"
"""The text for an interval that is not informative."""
UNDETERMINED_MEANS = f"the 95 % interval is wider than {MAX_INFORMATIVE_RATIO:g}x both ways"
OUT_OF_RANGE = "out of range"
_MAX_PLAUSIBLE = 1e12
"""Seconds, megabytes and counts of this size or more cannot be measurements."""
_RATIOS = 1000.0
FACTOR_FROM = 2.0
"""The size from which an effect is printed as a factor: there +50 % one way is -100 % the
other way, and percent mislead."""
MAX_SHOWN = 1000.0
"""Larger factors are printed as "over 1000x"."""
SHOWN_STATISTICS = ("min", "max", "mean", "total", "warm_median")
"""Statistics whose gains stand next to the claims, and so have the claims' form."""


class Form(str, Enum):
    """The form in which effects are printed: gains in percent, or factors such as "6.7x faster"."""

    GAIN = "gain"
    FACTOR = "factor"


def format_number(value: float | None, digits: int = 0, sign: bool = False) -> str:
    """Return a number with ``digits`` decimals and no exponent; ``sign``: with its plus sign too.

    None and NaN give a dash; a number too large for any measurement gives a fixed text.
    """
    try:
        number = math.nan if value is None else float(value)
    except OverflowError:  # an integer of hundreds of digits
        number = math.inf
    if math.isnan(number):
        return NONE
    if abs(number) >= _MAX_PLAUSIBLE:
        return OUT_OF_RANGE
    return f"{number:{'+' if sign else ''}.{digits}f}"


def format_seconds(value: float | None, digits: int = 4) -> str:
    """Return a number of seconds with that many decimals, without the unit; a dash for None."""
    return format_number(value, digits)


def format_scaled(value: float | None, unit: float, digits: int) -> str:
    """Return a number divided by ``unit``, with ``digits`` decimals; a dash for None."""
    try:
        return format_number(None if value is None else value / unit, digits)
    except OverflowError:
        return OUT_OF_RANGE


def format_megabytes(value: float | None) -> str:
    """Return a number of bytes as megabytes (10^6) with one decimal, without the unit."""
    return format_scaled(value, 1e6, 1)


def format_gigabytes(value: float | None) -> str:
    """Return a number of bytes as gigabytes (10^9) with one decimal, such as "6.5 GB"."""
    return f"{format_scaled(value, 1e9, 1)} GB"


def format_share(value: float | None) -> str:
    """Return a fraction (1: the whole) in percent, such as "12 %"; a dash for None.

    Above a fraction of ten it is only "over 10 times".
    """
    if value is None:
        return NONE
    if abs(value) > 10:
        return f"over {'-' if value < 0 else ''}10 times"
    return f"{100 * value:.0f} %"


def format_effect(value: float | None, form: Form) -> str:
    """Return a gain in percent as "+6.4 %" or, by its form, "6.7x faster"; a dash for None."""
    return NONE if value is None else effect_text(value, form)


def format_claimed(value: float | None, form: Form) -> str:
    """Return the gain that a claim states, in percent as published; a dash for None.

    If ``form`` is a factor, the same gain follows as a factor, in brackets.
    """
    if value is None or form is Form.GAIN:
        return format_effect(value, form)
    return f"{value:+.1f} % ({effect_text(value, form)})"


def format_claimed_brief(value: float, form: Form) -> str:
    """Return the gain that a claim states, in percent as published, and its factor if asked for.

    In a narrow column: "+6.5 %", or "+6.5 %, 1.07x" if ``form`` is a factor.
    """
    own = f"{value:+.1f} %"
    return own if form is Form.GAIN else f"{own}, {_factor(log_of(value))[0]}"


def format_gain(estimate: Estimate | None, form: Form) -> str:
    """Return a measured effect with its interval, "+6.4 % [+4.1, +8.6]"; a dash for None."""
    if estimate is None:
        return NONE
    return format_interval(estimate.gain_percent, estimate.gain_interval, form)


def format_interval(value: float | None, bounds: Interval | None, form: Form) -> str:
    """Return a gain in percent, ``value``, with its interval ``bounds``; a dash for None.

    Both are printed as factors if ``form`` is one, or if one of the numbers is a factor of two or
    more. Without an interval the text says so; an interval that is not informative gives a fixed
    text.
    """
    if value is None:
        return NONE
    if not is_informative(bounds):
        return UNDETERMINED
    form = common(form, value, bounds)
    if bounds is None:
        return f"{effect_text(value, form)} (no interval)"
    return f"{effect_text(value, form)} {brackets_text(bounds.low, bounds.high, form)}"


def format_ratio(estimate: Estimate | None) -> str:
    """Return the ratio of two arms' times with its interval, "1.068 [1.043, 1.094]".

    A dash if there is no ratio; a fixed text if its interval is not informative.
    """
    if estimate is None or estimate.ratio is None:
        return NONE
    if not is_informative(estimate.gain_interval):
        return UNDETERMINED
    bounds = estimate.ratio_interval
    if bounds is None:
        return f"{_ratio(estimate.ratio)} (no interval)"
    return f"{_ratio(estimate.ratio)} [{_ratio(bounds.low)}, {_ratio(bounds.high)}]"


def format_trend(percent: float, form: Form) -> str:
    """Return a drift, in percent of the seconds of a run (plus: more seconds), as an effect.

    The result has the sign of a gain: "-4.2 % (plus: faster at the end)".
    """
    text = effect_text(-percent, form)
    return f"{text} (plus: faster at the end)" if text.endswith("%") else f"{text} at the end"


def format_score(value: float) -> str:
    """Return a standardized deviation (z score) with its sign and one decimal.

    Beyond 100 it is only "over +100" or "over -100".
    """
    return f"{value:+.1f}" if abs(value) <= 100 else f"over {'+' if value > 0 else '-'}100"


def p_value(value: float | None) -> str:
    """Return a p value, such as "0.031" or "<0.001"; a dash for None and NaN."""
    if value is None or math.isnan(value):
        return NONE
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def p_equals(value: float | None) -> str:
    """Return a p value for a sentence, such as "p = 0.031" or "p < 0.001"."""
    text = p_value(value)
    return f"p {text[0]} {text[1:]}" if text.startswith("<") else f"p = {text}"


def common(form: Form, value: float | None, bounds: Interval | None) -> Form:
    """Return the one form for a gain in percent and the ends of its interval.

    That is factors if ``form`` is, or if one of the numbers is a factor of two or more.
    """
    ends = () if bounds is None else (bounds.low, bounds.high)
    return Form.FACTOR if form is Form.FACTOR else form_of([value, *ends])


def form_of(gains: Iterable[float | None]) -> Form:
    """Return the one form for these gains in percent: factors if one is a factor of two or more.

    None among the gains does not count.
    """
    logs = (abs(log_of(gain)) for gain in gains if gain is not None)
    return Form.FACTOR if any(log >= math.log(FACTOR_FROM) for log in logs) else Form.GAIN


def form_over(study: Study, blocks: Sequence[PairedBlock]) -> Form:
    """Return the form of every effect that is printed of a variant with these paired blocks.

    It follows from the claims' published gains and bands, and from the measured gains.
    """
    claimed = [
        value
        for claim in study.claims
        for value in (
            claim.published_gain_percent,
            claim.band_percent.low,
            claim.band_percent.high,
        )
    ]
    measured = (estimate_over(name, blocks) for name in SHOWN_STATISTICS)
    return form_of([*claimed, *(gain for found in measured for gain in gains_of(found))])


def effect_text(gain: float, form: Form) -> str:
    """Return a gain in percent as "+6.4 %" or "6.7x faster".

    A gain of a factor of two or more is a factor in either form.
    """
    if form is Form.FACTOR or form_of([gain]) is Form.FACTOR:
        size, way = _factor(log_of(gain))
        return f"{size} {way}".rstrip()
    text = f"{gain:+.1f}"
    return f"{'+0.0' if text == '-0.0' else text} %"


def range_text(low: float, high: float, form: Form) -> str:
    """Return a range of gains, both in percent, as "+3.0 to +10.0 %" or "4.0x to 12x faster"."""
    if form is Form.GAIN and form_of([low, high]) is Form.GAIN:
        return f"{effect_text(low, form)[:-2]} to {effect_text(high, form)}"
    ends = _ends(low, high)
    return f"{ends[0]} to {ends[1]}"


def band_words(band: Range, form: Form) -> str:
    """Return a claim's band, in percent, as the study gives it, "3 to 10 %", or as factors."""
    if form is Form.GAIN and form_of([band.low, band.high]) is Form.GAIN:
        return f"{band.low:g} to {band.high:g} %"
    return range_text(band.low, band.high, Form.FACTOR)


def brackets_text(low: float, high: float, form: Form) -> str:
    """Return a range of gains in brackets: "[+3.0, +10.0]" (percent), or "[5.9x, 7.5x]".

    For a table: the unit and the direction, if both ends have the same, are left to the number
    printed before it. ``low`` and ``high`` are gains in percent.
    """
    if form is Form.GAIN and form_of([low, high]) is Form.GAIN:
        return f"[{effect_text(low, form)[:-2]}, {effect_text(high, form)[:-2]}]"
    (first, one), (second, other) = _sorted(low, high)
    if one == other:  # the number before it has the direction
        return f"[{first}, {second}]"
    return f"[{', '.join(_ends(low, high))}]"


def size_text(log: float, like: float, form: Form) -> str:
    """Return the size of a log ratio without its sign, such as "4.9 %" or "6.7x".

    The sign of ``like``, a gain in percent, is the direction: the same log ratio is 4.9 % of time
    saved and 5.1 % of time lost.
    """
    log = abs(log)
    if form is Form.FACTOR or log >= math.log(FACTOR_FROM):
        return _factor(log)[0]
    return f"{100 * (-math.expm1(-log) if like >= 0 else math.expm1(log)):.1f} %"


def equal_text(form: Form) -> str:
    """Return the range of effects that count as equal, such as "within plus or minus 2 %"."""
    if form is Form.GAIN:
        return f"within plus or minus {EQUIVALENCE_PERCENT:g} %"
    return f"within {1 + EQUIVALENCE_PERCENT / 100:.2f}x either way"


def margin_words(percent: float, form: Form) -> str:
    """Return the margin of a claim of equality: "within 5 % (-5.0 to +4.8 %)".

    ``percent`` is the most by which either arm may take longer than the other.
    """
    band = equality_band(percent)
    return f"within {percent:g} % ({range_text(band.low, band.high, form)})"


def _ratio(value: float) -> str:
    if value > _RATIOS:
        return f"over {_RATIOS:.0f}"
    return f"below {1 / _RATIOS:g}" if value < 1 / _RATIOS else f"{value:.3f}"


def _sorted(low: float, high: float) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return the two ends as size and direction; of two slowdowns the smaller one first."""
    first, second = _factor(log_of(low)), _factor(log_of(high))
    return (second, first) if high <= 0 else (first, second)


def _ends(low: float, high: float) -> tuple[str, str]:
    """Return the two ends in words, the direction once if it is the same."""
    (first, way), (second, other) = _sorted(low, high)
    start = first if way in ("", other) else f"{first} {way}"
    return start, f"{second} {other}".rstrip()


def _factor(log: float) -> tuple[str, str]:
    """Return a log ratio as size and direction: two decimals below 2, then two digits."""
    way = "faster" if log > 0 else "slower"
    if abs(log) > math.log(MAX_SHOWN):
        return f"over {MAX_SHOWN:.0f}x", way
    size = math.exp(abs(log))
    if size < FACTOR_FROM:
        text = f"{size:.2f}"
        return f"{text}x", "" if text == "1.00" else way
    size = round(size, 1 - math.floor(math.log10(size)))
    return f"{size:.{1 if size < 10 else 0}f}x", way
