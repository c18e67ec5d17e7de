"""Effects as text, in one form for everything that is compared.

A gain is ``100 * (baseline - contender) / baseline``; a factor is how many times as fast or
as slow. Both are the same log ratio, but 85 % and 6.7x cannot be compared by eye. So all
numbers of a variant are printed in one form: as gains while each is below a factor of two,
otherwise as factors.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import Enum

from kit.judge.effects import gains_of, log_of
from kit.judge.pairing import PairedBlock, estimate_over
from kit.judge.sensitivity import EQUIVALENCE_PERCENT
from kit.study.model import Range, Study, equality_band

FACTOR_FROM = 2.0
"""The size from which an effect is printed as a factor: there +50 % one way is -100 % the
other way, and percent mislead."""
MAX_SHOWN = 1000.0
"""Larger factors are printed as "over 1000x"."""
SHOWN_STATISTICS = ("min", "max", "mean", "total", "hardened")
"""Statistics whose gains stand next to the claims, and so have the claims' form."""


class Form(str, Enum):
    """The form in which an effect is printed."""

    GAIN = "gain"
    FACTOR = "factor"


def form_of(gains: Iterable[float | None]) -> Form:
    """Return the form in which these gains (percent) can be compared with each other."""
    logs = (abs(log_of(gain)) for gain in gains if gain is not None)
    return Form.FACTOR if any(log >= math.log(FACTOR_FROM) for log in logs) else Form.GAIN


def form_over(study: Study, blocks: Sequence[PairedBlock]) -> Form:
    """Return the form of everything that is printed of a variant with these blocks."""
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
    """Return a range of gains as "+3.0 to +10.0 %", "4.0x to 12x faster" or the like."""
    if form is Form.GAIN and form_of([low, high]) is Form.GAIN:
        return f"{effect_text(low, form)[:-2]} to {effect_text(high, form)}"
    ends = _ends(low, high)
    return f"{ends[0]} to {ends[1]}"


def band_words(band: Range, form: Form) -> str:
    """Return a claim's band as the study gives it, or as factors."""
    if form is Form.GAIN and form_of([band.low, band.high]) is Form.GAIN:
        return f"{band.low:g} to {band.high:g} %"
    return range_text(band.low, band.high, Form.FACTOR)


def brackets_text(low: float, high: float, form: Form) -> str:
    """Return the same range for a table, to print after its number: "[5.9x, 7.5x]"."""
    if form is Form.GAIN and form_of([low, high]) is Form.GAIN:
        return f"[{effect_text(low, form)[:-2]}, {effect_text(high, form)[:-2]}]"
    (first, one), (second, other) = _sorted(low, high)
    if one == other:  # the number before it has the direction
        return f"[{first}, {second}]"
    return f"[{', '.join(_ends(low, high))}]"


def size_text(log: float, like: float, form: Form) -> str:
    """Return the absolute size of a log ratio, in the direction of the gain ``like``.

    The direction matters: the same log ratio is 4.9 % of time saved and 5.1 % of time lost.
    """
    log = abs(log)
    if form is Form.FACTOR or log >= math.log(FACTOR_FROM):
        return _factor(log)[0]
    return f"{100 * (-math.expm1(-log) if like >= 0 else math.expm1(log)):.1f} %"


def share_text(share: float) -> str:
    """Return a share in percent; above ten, only "over 10 times"."""
    if abs(share) > 10:
        return f"over {'-' if share < 0 else ''}10 times"
    return f"{100 * share:.0f} %"


def equal_text(form: Form) -> str:
    """Return the range of effects that count as equal, such as "within plus or minus 2 %"."""
    if form is Form.GAIN:
        return f"within plus or minus {EQUIVALENCE_PERCENT:g} %"
    return f"within {1 + EQUIVALENCE_PERCENT / 100:.2f}x either way"


def margin_words(percent: float, form: Form) -> str:
    """Return the margin of a claim of equality: "within 5 % (-5.0 to +4.8 %)"."""
    band = equality_band(percent)
    return f"within {percent:g} % ({range_text(band.low, band.high, form)})"


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
    """Return a log ratio as size and direction; two digits, near 1 three decimals."""
    way = "faster" if log > 0 else "slower"
    if abs(log) > math.log(MAX_SHOWN):
        return f"over {MAX_SHOWN:.0f}x", way
    size = math.exp(abs(log))
    if size < FACTOR_FROM:
        text = f"{size:.{3 if size < 1.1 else 2}f}"
        return f"{text}x", "" if text == "1.000" else way
    size = round(size, 1 - math.floor(math.log10(size)))
    return f"{size:.{1 if size < 10 else 0}f}x", way
