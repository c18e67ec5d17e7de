"""The claims with their verdicts."""

from __future__ import annotations

from collections.abc import Mapping

from kit.judge.executable import ExecutableVerdict
from kit.judge.training import TrainingVerdict
from kit.judge.verdict import Verdict
from kit.judge.words import EQUIVALENT, INCONCLUSIVE, OPPOSITE, REPRODUCED, SAME_DIRECTION, Word
from kit.report.document import Block, List, Paragraph, Strong, Table, Text, Tone
from kit.report.headline import claimed_text
from kit.report.model import AnyVerdict, ReportModel
from kit.report.numbers import (
    NONE,
    UNDETERMINED,
    UNDETERMINED_MEANS,
    Form,
    effect,
    equal_text,
    gain,
)
from kit.study.model import Direction

_GAIN = (
    "A gain is 100 × ({baseline} - {contender}) / {baseline}: it is positive if {contender} is "
    "faster. Effects of a factor of two or more are printed as factors: 6.7x faster is a gain of "
    "85 %. Brackets hold the 95 % interval. kit judges each claim by the statistic that the claim "
    "names. The warm median, the median of a run without its first, cold fit, is shown for "
    "comparison and not judged. Effects {equal} count as equal."
)
_EQUALITY = (
    "A claim of equality states a margin: within 5 % means that neither arm takes more than 5 % "
    "longer than the other."
)
_TONES: Mapping[Word, Tone] = {
    REPRODUCED: Tone.GOOD,
    SAME_DIRECTION: Tone.PART,
    EQUIVALENT: Tone.EQUAL,
    OPPOSITE: Tone.BAD,
    INCONCLUSIVE: Tone.OPEN,
}


def claims(model: ReportModel) -> tuple[Block, ...]:
    """Return the table of claims, and below it the reason for each verdict."""
    several = len(model.variants) > 1

    def name(verdict: Verdict | TrainingVerdict) -> str:
        return f"{verdict.claim.id} {verdict.variant}" if several else verdict.claim.id

    rows = [_measured(verdict, name(verdict), model) for verdict in model.verdicts]
    reasons: list[Text] = [(Strong(name(v)), ": ", model.reason_of(v)) for v in model.verdicts]
    others: list[tuple[str, TrainingVerdict | ExecutableVerdict]] = [
        *((name(verdict), verdict) for verdict in model.judged.training),
        *((verdict.claim.id, verdict) for verdict in model.judged.executable),
    ]
    rows += [_row(verdict, named) for named, verdict in others]
    reasons += [(Strong(named), ": ", model.reason_of(verdict)) for named, verdict in others]
    if not rows:
        return ()
    header = ("id", "claim", "published", "measured gain", "gain, warm median", "verdict")
    return Table(header, tuple(rows)), List(tuple(reasons)), Paragraph(_note(model, rows))


def verdict_text(verdict: AnyVerdict) -> Strong:
    """Return the printed word of a verdict as strong text in the colour of that word."""
    return Strong(verdict.printed, _TONES.get(verdict.word))


def _note(model: ReportModel, rows: list[tuple[Text, ...]]) -> str:
    forms = dict.fromkeys(part.form for part in model.variants) or {Form.GAIN: None}
    note = _GAIN.format(
        baseline=model.study.baseline,
        contender=model.study.contender,
        equal=" or ".join(map(equal_text, forms)),
    )
    if any(claim.direction is Direction.EQUAL for claim in model.study.claims):
        note += f" {_EQUALITY}"
    if any(UNDETERMINED in (row[3], row[4]) for row in rows):
        note += f" {UNDETERMINED.capitalize()}: {UNDETERMINED_MEANS}."
    return note


def _measured(verdict: Verdict, name: str, model: ReportModel) -> tuple[Text, ...]:
    form = model.form_of(verdict)
    return _row(
        verdict,
        name,
        _published(verdict, form),
        gain(verdict.measured, form),
        gain(verdict.hardened, form),
    )


def _published(verdict: Verdict, form: Form) -> str:
    """Return the claim's gain, and in brackets the gain by the published figures."""
    text = claimed_text(verdict.claim, form)
    figures = f"figures: {effect(verdict.figures_gain_percent, form)})"
    return f"{text[:-1]}; {figures}" if text.endswith(")") else f"{text} ({figures}"


def _row(
    verdict: AnyVerdict,
    name: str,
    published: str = NONE,
    measured: str = NONE,
    warm: str = NONE,
) -> tuple[Text, ...]:
    """Return the row of a claim; only claims on times have numbers."""
    claim = f"{verdict.claim.statement} ({verdict.claim.where})"
    return (name, claim, published, measured, warm, verdict_text(verdict))
