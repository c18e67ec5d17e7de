"""Findings in words: of the same-work checks, and the arithmetic on consistency claims."""

from __future__ import annotations

from collections.abc import Mapping

from kit.judge.check import (
    AnotherFile,
    Check,
    CheckName,
    Compared,
    Difference,
    FewArms,
    Fits,
    IdentityRunFailed,
    IdentityRuns,
    Libraries,
    NoIdentityRun,
    NotFinite,
    NothingRecorded,
    NotMapped,
    NotRecorded,
    OneHash,
    OneSided,
    OtherFits,
    OtherWork,
    Point,
    TimedRuns,
    TrajectoryDiffers,
    ValueDiffers,
    Values,
    Versions,
    WheelChanged,
    Wheels,
)
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

_NAMED = 4  # differences named in one check before "and n more"
_NOTHING: Mapping[CheckName, str] = {
    "loss trajectory": "{arm} recorded no losses",
    "native libraries": "none recorded by {arm}",
    "wheels": "none checked in {arm}",
}


def detail(check: Check) -> str:
    """Return the compared things if the check held, else the first differences, as text.

    Raise TypeError for an unknown value.
    """
    if check.held:
        return compared(check.compared)
    named = "; ".join(difference(each, check.name) for each in check.differences[:_NAMED])
    more = len(check.differences) - _NAMED
    return f"{named}; and {more} more" if more > 0 else named


def compared(what: Compared) -> str:
    """Return what a same-work check found equal, as text. Raise TypeError for another value."""
    match what:
        case FewArms(arms):
            text = f"not applicable: {'one' if arms else 'no'} arm"
        case IdentityRuns(arms):
            text = f"one per arm: {', '.join(arms)}"
        case Versions(names):
            text = f"{', '.join(names)} equal"
        case Values(count, of):
            text = f"identical, {count} {of}"
        case OneHash():
            text = "identical"
        case Libraries(shared, own):
            extra = ", ".join(f"{count} more only in {arm}" for arm, count in own.items())
            text = f"{shared} mapped in all arms, identical" + (f"; {extra}" if extra else "")
        case Wheels(counts):
            each = ", ".join(f"{count} in {arm}" for arm, count in counts.items())
            text = f"all files match their RECORD: {each}"
        case TimedRuns(count):
            text = (
                f"{count} runs match the identity run of their arm" if count else "none to compare"
            )
        case Fits(planned):
            text = f"{planned} in every run, as planned"
        case _:
            raise TypeError(f"unknown result of a check: {what!r}")
    return text


def difference(found: Difference, check: CheckName) -> str:
    """Return one difference that a same-work check found, as text.

    ``check`` is the check's name. Raise TypeError for another value.
    """
    match found:
        case NotRecorded() | NothingRecorded() | ValueDiffers():
            return _of_values(found, check)
        case NotFinite() | TrajectoryDiffers() | OneSided():
            return _of_training(found)
        case AnotherFile() | NotMapped() | WheelChanged():
            return _of_files(found)
        case NoIdentityRun() | IdentityRunFailed() | OtherWork() | OtherFits():
            return _of_runs(found)
        case _:
            raise TypeError(f"unknown difference: {found!r}")


def arithmetic(reason: Reason) -> str:
    """Return the numbers behind a consistency claim's word, as text.

    They agree or differ. Raise TypeError for another value.
    """
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
            text = f"the listing calls {name}, {library} provides {', '.join(provided)}"
        case StepsAndTotals(baseline, contender):
            text = f"steps: {_steps(baseline)}, {_steps(contender)}; "
            text += f"totals: {_total(baseline)}, {_total(contender)}"
        case _:
            raise TypeError(f"unknown reason: {reason!r}")
    return text


def _of_values(found: NotRecorded | NothingRecorded | ValueDiffers, check: CheckName) -> str:
    match found:
        case NotRecorded(name, arm):
            return f"{name} not recorded by {arm}"
        case NothingRecorded(arm):
            return _NOTHING.get(check, "nothing recorded by {arm}").format(arm=arm)
        case ValueDiffers(name, first, a, arm, b):
            return f"{name} differs: {_short(a)} in {first}, {_short(b)} in {arm}"


def _of_training(found: NotFinite | TrajectoryDiffers | OneSided) -> str:
    match found:
        case NotFinite(point, arm):
            return f"{_name(point)} of {arm} is not finite"
        case TrajectoryDiffers(point, first, a, arm, b, differing, of):
            return (
                f"{_name(point)} differs: {a!r} in {first}, {b!r} in {arm}"
                f" ({differing} of {of} values differ)"
            )
        case OneSided(point, first, arm):
            return f"only one of {first}, {arm} recorded {_name(point)}"


def _of_files(found: AnotherFile | NotMapped | WheelChanged) -> str:
    match found:
        case AnotherFile(library, arms):
            return f"{library} differs between {' and '.join(arms)}"
        case NotMapped(library, arms):
            return f"{library} is not mapped in {' and '.join(arms)}"
        case WheelChanged(wheel, arm, state):
            return f"{wheel} in {arm} does not match its RECORD: {state}"


def _of_runs(found: NoIdentityRun | IdentityRunFailed | OtherWork | OtherFits) -> str:
    match found:
        case NoIdentityRun(arm):
            return f"no valid identity run of {arm} (none in the log)"
        case IdentityRunFailed(arm, failure):
            return f"no valid identity run of {arm} (it failed: {failure})"
        case OtherWork(what, run_id, arm):
            return f"{what} of {run_id} ({arm}) differs from the identity run"
        case OtherFits(run_id, arm, fits, planned):
            return f"{run_id} ({arm}) did {fits} fits, planned {planned}"


def _name(point: Point) -> str:
    return f"{point.series} of fit {point.fit} epoch {point.epoch}"


def _short(value: str | None) -> str:
    """Return the first 12 digits of a hash; another value as it is."""
    if value is None:
        return "missing"
    return value[:12] if len(value) == 64 else value


def _number(number: TextNumber) -> str:
    return f"{number.stack} {number.statistic}: text {number.text} s, figure {number.figure} s"


def _not_rounded(reason: NotRounded) -> str:
    text = "; ".join(map(_number, reason.numbers))
    by_figures, stated = reason.figures_gain_percent, reason.text_gain_percent
    if by_figures is None:
        return text
    return f"{text}; gain in the figures {by_figures:.2f} %, in the text {stated:g} %"


def _gains(gains: Gains) -> str:
    text = ", ".join(f"{name} {gain:g} %" for name, gain in gains.text.items())
    figures = ", ".join(f"{name} {gain:.2f} %" for name, gain in gains.figures.items())
    return f"text: {text}; figures: {figures}"


def _figure(figure: MeanAndTotal) -> str:
    return (
        f"{figure.where} ({figure.stack}): {figure.mean} s x {figure.repeats} = "
        f"{figure.product:.6f} s, total {figure.total} s"
    )


def _ticks(ticks: Ticks) -> str:
    text = (
        f"{ticks.per_second} ticks per second, divided by {ticks.divisor}, give "
        f"{ticks.factor:g} times the seconds"
    )
    if not ticks.too_fine:
        return text
    fine = ", ".join(f"{value} has {digits}" for value, digits in ticks.too_fine.items())
    return (
        f"{text}; integer ticks divided by {ticks.divisor} have at most {ticks.most} decimals, "
        f"{fine}"
    )


def _steps(steps: Steps) -> str:
    return f"{steps.stack} {steps.low_ms:g} to {steps.high_ms:g} ms"


def _total(steps: Steps) -> str:
    return f"{steps.stack} {steps.total_s:.2f} s"
