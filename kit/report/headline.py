"""The first sentences of a report, and a claim and its verdict in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kit.judge.comparison import Judgement
from kit.judge.controls import failing
from kit.judge.effects import is_informative
from kit.judge.samework import SameWork
from kit.judge.statistics import Estimate
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
from kit.plan.model import DUET
from kit.report.findings import detail
from kit.report.looks import course_line
from kit.report.numbers import (
    NONE,
    UNDETERMINED,
    UNDETERMINED_MEANS,
    Form,
    common,
    effect_text,
    format_claimed,
    format_effect,
    margin_words,
    range_text,
)
from kit.report.reasons import control_text, reason_text
from kit.study.model import Claim, Direction

if TYPE_CHECKING:
    from kit.report.model import ReportModel


_STATEMENT = 160
_ANSWERS: Mapping[Word, str] = {
    REPRODUCED: "Holds",
    SAME_DIRECTION: "Holds in direction only",
    EQUIVALENT: "Does not hold, equally fast",
    OPPOSITE: "Does not hold",
    INCONCLUSIVE: "Undecided",
    NOT_TESTABLE: "Not testable here",
}
_FASTER, _SLOWER, _EQUAL = Direction.FASTER, Direction.SLOWER, Direction.EQUAL
_NO_CLAIM = "Inconclusive: the study has no measured claims."
_PART = "Holds in direction only"
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


def lead_verdict(verdicts: Sequence[Verdict]) -> Verdict | None:
    """Return the headline's verdict: the first on the mean, else the first; None for none.

    Verdicts that were not testable count only if there are no others.
    """
    tested = [v for v in verdicts if v.word != NOT_TESTABLE] or list(verdicts)
    means = [v for v in tested if v.claim.statistic == "mean"]
    return next(iter(means or tested), None)


def headline(
    verdict: Verdict | None, contender: str, several: bool = False, form: Form = Form.GAIN
) -> str:
    """Return one sentence on a verdict: the word, the claim's statement and the numbers.

    It says if substitutes make the verdict indicative, and names the variant if there are
    ``several``. ``contender`` is the name of that stack.
    """
    if verdict is None:
        return _NO_CLAIM
    begin = opening(verdict, contender) + (" (indicative)" if verdict.indicative else "")
    statement = verdict.claim.statement
    if len(statement) > _STATEMENT:  # leave room for the measured gain
        statement = f"{statement[: _STATEMENT - 1].rstrip()}…"
    return f'{begin}: "{statement}" ({_name(verdict, several)}); {_numbers(verdict, form)}.'


def answer(
    verdict: Verdict | None, baseline: str, contender: str, several: bool, form: Form
) -> str:
    """Return the sentence next to a verdict's word: whether the claim holds, and the numbers.

    ``baseline`` and ``contender`` are the names of the stacks.
    """
    if verdict is None:
        return _NO_CLAIM
    begin, measured = _ANSWERS[verdict.word], verdict.measured
    name = _name(verdict, several)
    if measured is None or measured.gain_percent is None:
        return f"{begin}: {name}, {reason_text(verdict, form)}."
    found = difference(measured, baseline, contender, form)
    blocks = f"{measured.pairs} block{'s' if measured.pairs != 1 else ''}"
    return f"{begin}: {found}, published {_published(verdict.claim, form)} ({name}, {blocks})."


def _published(claim: Claim, form: Form) -> str:
    if claim.equal_within_percent is not None:
        return claimed_short(claim, form)
    if form is Form.GAIN:
        return time_text(claim.published_gain_percent)
    gain = claim.published_gain_percent
    return ", ".join(dict.fromkeys((format_effect(gain, Form.GAIN), format_effect(gain, form))))


def _name(verdict: Verdict, several: bool) -> str:
    return f"{verdict.claim.id}, {verdict.variant}" if several else verdict.claim.id


def _numbers(verdict: Verdict, form: Form) -> str:
    """Return the published and the measured effect, or why nothing was measured."""
    paper = f"published {claimed_text(verdict.claim, form)}"
    measured = verdict.measured
    if measured is None or measured.gain_percent is None:
        return f"{paper}, {reason_text(verdict, form)}"
    blocks = f"{measured.pairs} block{'s' if measured.pairs != 1 else ''}"
    return f"{paper}, measured {gain_in_words(measured, form)} over {blocks}"


def gain_in_words(estimate: Estimate, form: Form) -> str:
    """Return a measured effect for a sentence, without brackets."""
    value, bounds = estimate.gain_percent, estimate.gain_interval
    if value is None:
        return NONE
    if not is_informative(bounds):
        return f"{UNDETERMINED} ({UNDETERMINED_MEANS})"
    form = common(form, value, bounds)
    if bounds is None:
        return f"{effect_text(value, form)} (no interval)"
    return f"{effect_text(value, form)} (95 % interval {range_text(bounds.low, bounds.high, form)})"


def difference(estimate: Estimate, baseline: str, contender: str, form: Form) -> str:
    """Return a measured effect as a clause: "C# took 6.4 % less time than Python (95 % ...)".

    Effects printed as factors give "C# was 6.7x faster than Python"; ``form`` is the report's.
    """
    value, bounds = estimate.gain_percent, estimate.gain_interval
    if value is None or not is_informative(bounds):
        return f"{contender} against {baseline}: {UNDETERMINED} ({UNDETERMINED_MEANS})"
    form = common(form, value, bounds)
    if form is Form.FACTOR:
        size = effect_text(value, form)  # 1.00x has no direction
        text = f"{contender} was {size} than {baseline}"
        if not size.endswith("er"):
            text = f"{contender} took {size} the time of {baseline}"
    else:
        text = f"{contender} took {time_text(value)} time than {baseline}"
    if bounds is None:
        return f"{text}, no interval"
    if form is Form.FACTOR:
        return f"{text} (95 % interval {range_text(bounds.low, bounds.high, form)})"
    low, high = bounds.low, bounds.high
    if low < 0 <= high:
        return f"{text} (95 % interval {time_text(low)} to {time_text(high)})"
    ends = sorted((abs(low), abs(high)))
    return f"{text} (95 % interval {ends[0]:.1f} to {ends[1]:.1f} %)"


def time_text(gain: float) -> str:
    """Return a gain in percent as time saved or lost: "6.4 % less", "39.9 % more"."""
    return f"{abs(gain):.1f} % {'less' if gain >= 0 else 'more'}"


def controls_line(judged: Judgement) -> str:
    """Return a line on the controls: passed, open or failed with each that did not pass, or none.

    Empty if no variant has both arms.
    """
    found = [control for part in judged.comparisons for control in part.controls]
    if not any(part.pair.baseline and part.pair.contender for part in judged.comparisons):
        return ""
    if not found:
        return "Controls: none planned, so the noise floor of this session is unknown."
    broken = failing(found)
    if not broken:
        named = "; ".join(f"{control.role}: {control_text(control.reason)}" for control in found)
        return f"Controls: passed. {named[:1].upper()}{named[1:]}."
    named = "; ".join(f"{control.role}: {control_text(control.reason)}" for control in broken)
    if all(control.is_open for control in broken):
        return f"Controls: open, so kit decides no claim without a difference. {named}."
    return f"Controls: FAILED, so kit decides no claim by timed runs. {named}."


def same_work_line(work: SameWork) -> str:
    """Return one line: whether the arms did the same work and, if not, the checks that differ."""
    if not work.applicable:
        return f"Same work: {detail(work.checks[0])} of this variant in the plan."
    if work.held:
        return f"Same work: passed ({len(work.checks)} checks)."
    differences = "; ".join(f"{check.name}: {detail(check)}" for check in work.broken())
    return f"Same work: FAILED. {differences}."


def status_lines(model: ReportModel) -> list[str]:
    """Return a line for each basis of the verdicts: same work per variant, controls, blocks."""
    several = model.several
    lines = [
        f"{part.variant}: {part.same_work_line}" if several else part.same_work_line
        for part in model.variants
    ]
    lines += [model.controls_line] if model.controls_line else []
    return [*lines, *basis_lines(model)]


def basis_lines(model: ReportModel) -> list[str]:
    """Return a line on when the session ended, and one on its design, as far as there is one."""
    lines = [course_line(model.course)] if model.course is not None else []
    if model.header.plan.design == DUET:
        lines.append(
            "Duet: both runs of each pair ran at the same time, each on half of the CPUs, so all "
            "ratios include contention."
        )
    return lines


def substitutes_line(model: ReportModel) -> str:
    """Return a line naming the substituted components, and those that have no fidelity row."""
    others = [row.name for row in model.header.fidelity if not row.exact]
    unaccounted = [name for name in model.substitutes if name not in others]
    text = f"Substitutes: {', '.join(others) or 'none'}."
    if unaccounted:
        text += f" Not recorded: {', '.join(unaccounted)}."
    if model.substitutes:
        text += f" Verdicts are indicative because of: {', '.join(model.substitutes)}."
    return text


def opening(verdict: Verdict, contender: str) -> str:
    """Return the first words of a sentence on a verdict, such as "Holds".

    ``contender`` is that stack's name, which some of them have.
    """
    key = (verdict.claim.direction, verdict.word, found_direction(verdict))
    return OPENINGS[key].format(contender=contender)


def found_direction(verdict: Verdict) -> Direction | None:
    """Return the direction of the effect that the verdict found; None if it is undecided."""
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
    """Return the effect that a claim states, as published; then also as a factor if ``form`` is."""
    if claim.equal_within_percent is None:
        return format_claimed(claim.published_gain_percent, form)
    if form is Form.GAIN:
        return claimed_short(claim, form)
    return f"equal {margin_words(claim.equal_within_percent, form)}"


def claimed_short(claim: Claim, form: Form) -> str:
    """Return the effect that a claim states, for a table: "+6.5 %" or "equal within 5 %"."""
    if claim.equal_within_percent is None:
        return format_effect(claim.published_gain_percent, form)
    return f"equal within {claim.equal_within_percent:g} %"
