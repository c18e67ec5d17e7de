"""Numbers as strings, one form for every report. None is shown as a dash."""

from __future__ import annotations

from collections.abc import Callable

from kit.judge.statistics import Estimate, Interval

NONE = "-"


def seconds(value: float | None, digits: int = 4) -> str:
    """Seconds with that many decimals, without the unit."""
    return NONE if value is None else f"{value:.{digits}f}"


def signed_percent(value: float | None) -> str:
    """A gain, signed: "+6.4 %"."""
    return NONE if value is None else f"{_signed(value)} %"


def gain(estimate: Estimate | None) -> str:
    """A gain with its interval: "+6.4 % [+4.1, +8.6]"."""
    if estimate is None or estimate.gain_percent is None:
        return NONE
    return _with(signed_percent(estimate.gain_percent), estimate.gain_interval, _signed)


def ratio(estimate: Estimate | None) -> str:
    """A ratio with its interval: "1.068 [1.043, 1.094]"."""
    if estimate is None or estimate.ratio is None:
        return NONE
    return _with(_ratio(estimate.ratio), estimate.ratio_interval, _ratio)


def gain_in_words(estimate: Estimate) -> str:
    """A gain for a sentence, without brackets."""
    text = signed_percent(estimate.gain_percent)
    bounds = estimate.gain_interval
    if bounds is None:
        return f"{text} (no interval)"
    return f"{text} (95 % interval {_signed(bounds.low)} to {_signed(bounds.high)} %)"


def megabytes(value: float | None) -> str:
    """Bytes as megabytes (10^6), without the unit."""
    return NONE if value is None else f"{value / 1e6:.1f}"


def _with(text: str, bounds: Interval | None, form: Callable[[float], str]) -> str:
    if bounds is None:
        return f"{text} [no interval]"
    return f"{text} [{form(bounds.low)}, {form(bounds.high)}]"


def _signed(value: float) -> str:
    # Two blocks can give an interval of thousands of percent: keep it short.
    if abs(value) >= 1000:
        return f"{value:+.2g}"
    text = f"{value:+.1f}"
    return "+0.0" if text == "-0.0" else text


def _ratio(value: float) -> str:
    return f"{value:.3f}" if 0.001 <= value < 1000 else f"{value:.2g}"


def p_value(value: float | None) -> str:
    """Such as "0.031"; below a thousandth only that."""
    if value is None:
        return NONE
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def p_equals(value: float | None) -> str:
    """Such as "p = 0.031", for a sentence."""
    text = p_value(value)
    return f"p {text[0]} {text[1:]}" if text.startswith("<") else f"p = {text}"
