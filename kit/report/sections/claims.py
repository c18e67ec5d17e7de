"""The claims with their verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from kit.judge.effects import is_informative, log_of
from kit.judge.training import TrainingVerdict
from kit.judge.verdict import Verdict
from kit.judge.words import EQUIVALENT, INCONCLUSIVE, OPPOSITE, REPRODUCED, SAME_DIRECTION, Word
from kit.report.document import (
    Bar,
    Block,
    Fold,
    Paragraph,
    Strong,
    Table,
    Text,
    Tone,
    either,
)
from kit.report.headline import claimed_short
from kit.report.model import AnyVerdict, ReportModel
from kit.report.numbers import (
    NONE,
    UNDETERMINED,
    UNDETERMINED_MEANS,
    Form,
    equal_text,
    format_claimed_brief,
    format_effect,
    format_gain,
)
from kit.report.reasons import untimed_brief
from kit.report.text import plain
from kit.study.model import Claim, Direction

_GAIN = (
    "A gain is 100 × ({baseline} - {contender}) / {baseline}: it is positive if {contender} is "
    "faster. Effects of a factor of two or more are printed as factors: 6.7x faster is a gain of "
    "85 %. Brackets hold the 95 % confidence interval over the blocks; a block is one container of "
    "each arm, which repeats the timed work several times. kit judges each claim by the statistic "
    "that the claim names. Effects {equal} count as equal."
)
_EQUALITY = (
    "A claim of equality states a margin: within 5 % means that neither arm takes more than 5 % "
    "longer than the other."
)
_BRIEF_LIMIT = 60
"""Most characters of what was found on training or the executable; the row opens for the rest."""
_TONES: Mapping[Word, Tone] = {
    REPRODUCED: Tone.GOOD,
    SAME_DIRECTION: Tone.PART,
    EQUIVALENT: Tone.EQUAL,
    OPPOSITE: Tone.BAD,
    INCONCLUSIVE: Tone.OPEN,
}


def claims(model: ReportModel, between: tuple[Block, ...]) -> tuple[Block, ...]:
    """Return the table of claims with a reason and a bar for each, then ``between`` and a legend.

    Without a claim these blocks are all that is returned.
    """

    def name(verdict: Verdict | TrainingVerdict) -> str:
        return f"{verdict.claim.id} {verdict.variant}" if model.several else verdict.claim.id

    verdicts: list[tuple[str, AnyVerdict]] = [
        *((name(verdict), verdict) for verdict in model.verdicts),
        *((name(verdict), verdict) for verdict in model.judged.training),
        *((verdict.claim.id, verdict) for verdict in model.judged.executable),
    ]
    if not verdicts:
        return between
    header = ("claim", "published", "measured, 95 % CI", "verdict")
    rows = tuple(_row(verdict, named, model) for named, verdict in verdicts)
    table = Table(
        header,
        rows,
        reasons=tuple((named, _reason(verdict, model)) for named, verdict in verdicts),
        bars=tuple(_bar(verdict) for _, verdict in verdicts),
    )
    return table, *between, Fold("How to read the claims", (Paragraph(_note(model, rows)),))


def verdict_text(verdict: AnyVerdict) -> Strong:
    """Return the printed word of a verdict as strong text in the colour of that word."""
    return Strong(verdict.printed, _TONES.get(verdict.word))


def _note(model: ReportModel, rows: tuple[tuple[Text, ...], ...]) -> str:
    forms = dict.fromkeys(part.form for part in model.variants) or {Form.GAIN: None}
    note = _GAIN.format(
        baseline=model.study.baseline,
        contender=model.study.contender,
        equal=" or ".join(map(equal_text, forms)),
    )
    if any(claim.direction is Direction.EQUAL for claim in model.study.claims):
        note += f" {_EQUALITY}"
    if any(UNDETERMINED in row for row in rows):
        note += f" {UNDETERMINED.capitalize()}: {UNDETERMINED_MEANS}."
    return note


def _row(verdict: AnyVerdict, name: str, model: ReportModel) -> tuple[Text, ...]:
    """Return the row of a claim."""
    published: Text = NONE
    if isinstance(verdict, Verdict):
        form = model.form_of(verdict)
        published = either(partial(_published, verdict.claim), form)
        measured: Text = either(partial(format_gain, verdict.measured), form)
    else:
        measured = plain(untimed_brief(verdict), _BRIEF_LIMIT)
    claim = (Strong(name), f" {verdict.claim.statement}")
    return (claim, published, measured, verdict_text(verdict))


def _published(claim: Claim, form: Form) -> str:
    if claim.direction is Direction.EQUAL:
        return claimed_short(claim, form)
    return format_claimed_brief(claim.published_gain_percent, form)


def _reason(verdict: AnyVerdict, model: ReportModel) -> Text:
    """Return why the verdict has its word, and where the claim was published."""
    where = f"Published in: {verdict.claim.where}."
    if isinstance(verdict, Verdict) and verdict.figures_gain_percent is not None:
        figures = format_effect(verdict.figures_gain_percent, model.form_of(verdict))
        where += f" Gain by the published figures: {figures}."
    reason = model.reason_of(verdict)
    return f"{reason[:1].upper()}{reason[1:]}. {where}"


def _bar(verdict: AnyVerdict) -> Bar | None:
    """Return the bar of a claim on times; None for another, or if nothing was measured."""
    if not isinstance(verdict, Verdict) or verdict.measured is None:
        return None
    value, bounds = verdict.measured.gain_percent, verdict.measured.gain_interval
    claimed = verdict.claim.band_percent
    band = (log_of(claimed.low), log_of(claimed.high))
    if value is None or not is_informative(bounds):
        return Bar(None, None, None, band)
    low, high = (None, None) if bounds is None else (log_of(bounds.low), log_of(bounds.high))
    return Bar(log_of(value), low, high, band)
