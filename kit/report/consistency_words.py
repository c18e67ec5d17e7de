"""The arithmetic on a consistency claim, in words."""

from __future__ import annotations

from kit.judge.consistency import (
    Called,
    Gains,
    MeanAndTotal,
    MeansAndTotals,
    NotRounded,
    Reason,
    Rounded,
    Stated,
    Steps,
    StepsAndTotals,
    TextNumber,
    Ticks,
)


def arithmetic(reason: Reason) -> str:
    """Return the numbers that agree or differ, as text. Raise TypeError for another value."""
    match reason:
        case Rounded(numbers):
            text = "; ".join(map(_number, numbers))
        case NotRounded():
            text = _not_rounded(reason)
        case Gains():
            text = _gains(reason)
        case MeansAndTotals(figures):
            text = "; ".join(map(_figure, figures))
        case Stated(values):
            text = "; ".join(f"{where}: {value}" for where, value in values.items())
        case Ticks():
            text = _ticks(reason)
        case Called(name, library, provided):
            text = f"the listing calls {name}, {library} has {', '.join(provided)}"
        case StepsAndTotals(baseline, contender):
            text = f"steps: {_steps(baseline)}, {_steps(contender)}; "
            text += f"totals: {_total(baseline)}, {_total(contender)}"
        case _:
            raise TypeError(f"unknown reason: {reason!r}")
    return text


def _number(number: TextNumber) -> str:
    return f"{number.stack} {number.statistic}: text {number.text} s, figure {number.figure} s"


def _not_rounded(reason: NotRounded) -> str:
    text = "; ".join(map(_number, reason.numbers))
    by_figures, stated = reason.figures_gain_percent, reason.text_gain_percent
    if by_figures is None:
        return text
    return f"{text}; by the figures the gain is {by_figures:.2f} %, the text says {stated:g} %"


def _gains(gains: Gains) -> str:
    text = ", ".join(f"{name} {gain:g} %" for name, gain in gains.text.items())
    figures = ", ".join(f"{name} {gain:.2f} %" for name, gain in gains.figures.items())
    return f"the text says {text}; the figures give {figures}"


def _figure(figure: MeanAndTotal) -> str:
    return (
        f"{figure.where} ({figure.stack}): {figure.mean} s x {figure.repeats} = "
        f"{figure.product:.6f} s, total {figure.total} s"
    )


def _ticks(ticks: Ticks) -> str:
    text = (
        f"{ticks.per_second} ticks a second divided by {ticks.divisor} print "
        f"{ticks.factor:g} times the seconds"
    )
    if not ticks.too_fine:
        return text
    fine = ", ".join(f"{value} has {digits}" for value, digits in ticks.too_fine.items())
    return f"{text}; whole ticks over {ticks.divisor} have at most {ticks.most} decimals, {fine}"


def _steps(steps: Steps) -> str:
    return f"{steps.stack} {steps.low_ms:g} to {steps.high_ms:g} ms"


def _total(steps: Steps) -> str:
    return f"{steps.stack} {steps.total_s:.2f} s"
