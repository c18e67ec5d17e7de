"""The sentences a reader meets first: the verdict's and the same-work line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kit.judge.comparison import Judged
from kit.judge.controls import failing
from kit.judge.effects import Form
from kit.judge.samework import SameWork
from kit.judge.verdict import (
    EQUIVALENT,
    INCONCLUSIVE,
    NOT_TESTABLE,
    OPPOSITE,
    REPRODUCED,
    SAME_DIRECTION,
    Verdict,
)
from kit.report.numbers import claimed, gain_in_words

_STATEMENT = 160
_OPENINGS: Mapping[str, str] = {
    REPRODUCED: "Holds",
    SAME_DIRECTION: "Holds in direction, not or not surely in size",
    OPPOSITE: "Does not hold, the opposite was measured",
    EQUIVALENT: "Does not hold, the stacks are equally fast",
    INCONCLUSIVE: "Cannot be said",
    NOT_TESTABLE: "Cannot be tested here",
}


def head_claim(verdicts: Sequence[Verdict]) -> Verdict | None:
    """The verdict the headline speaks of: the average fit's, else the first.

    Of several variants the first one that could be tested at all.
    """
    tested = [v for v in verdicts if v.word != NOT_TESTABLE] or list(verdicts)
    means = [v for v in tested if v.claim.statistic == "mean"]
    return next(iter(means or tested), None)


def headline(verdict: Verdict | None, several: bool = False, form: Form = Form.GAIN) -> str:
    """One sentence: what holds, how sure that is, and whether substitutes took part.

    Of ``several`` variants it names the one it speaks of.
    """
    if verdict is None:
        return "Cannot be said: the study has no measured claim."
    claim = verdict.claim
    opening = _OPENINGS[verdict.word] + (" (indicative)" if verdict.indicative else "")
    named = f"{claim.id}, {verdict.variant}" if several else claim.id
    statement = claim.statement
    if len(statement) > _STATEMENT:  # what was measured must not be pushed out
        statement = f"{statement[: _STATEMENT - 1].rstrip()}…"
    start = f'{opening}: "{statement}" ({named})'
    paper = f"the paper says {claimed(claim.published_gain_percent, form)}"
    measured = verdict.measured
    if measured is None or measured.gain_percent is None:
        return f"{start}; {paper}, {verdict.rule}."
    blocks = f"{measured.pairs} block{'s' if measured.pairs != 1 else ''}"
    return f"{start}; {paper}, measured {gain_in_words(measured, form)} over {blocks}."


def controls_line(judged: Judged) -> str:
    """Whether the session found what is known, with every control that failed named."""
    found = [control for part in judged.comparisons for control in part.controls]
    if not any(part.pair.baseline and part.pair.contender for part in judged.comparisons):
        return ""
    if not found:
        return "Controls: none were planned, so nothing shows what this session can see."
    broken = failing(found)
    if not broken:
        named = "; ".join(f"{control.role}: {control.why}" for control in found)
        return f"Controls: held ({named})."
    named = "; ".join(f"{control.role}: {control.why}" for control in broken)
    return f"Controls: NOT HELD, so nothing timed here decides a claim. {named}."


def same_work_line(work: SameWork) -> str:
    """Whether the arms did the same work, with the differences named."""
    if not work.applicable:
        return f"Same work: {work.checks[0].detail} of this variant is in the plan."
    if work.held:
        return f"Same work: held ({', '.join(check.name for check in work.checks)})."
    differences = "; ".join(f"{check.name}: {check.detail}" for check in work.broken())
    return f"Same work: NOT HELD. {differences}."
