"""The claim on the executable: does the published program run on a system with nothing else?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kit.judge.reasons import (
    ExecutableFails,
    ExecutableMisses,
    ExecutableReason,
    ExecutableTrained,
    NoStart,
    NotRun,
)
from kit.judge.words import NOT_TESTABLE, OPPOSITE, REPRODUCED, Word, printed
from kit.records.images import Component, ExecutableRun, without_proof
from kit.study.model import ExecutableClaim

RESTS_ON = ("dotnet", "binding")
"""Components whose substitutes make the verdict indicative."""


@dataclass(frozen=True)
class ExecutableVerdict:
    """The verdict on a claim that the executable runs, and the run behind it."""

    claim: ExecutableClaim
    word: Word
    indicative: bool
    reason: ExecutableReason
    run: ExecutableRun | None

    @property
    def printed(self) -> str:
        """Return the word to show, marked as indicative if a substitute was used."""
        return printed(self.word, self.indicative)


def judge_executable(
    claims: Sequence[ExecutableClaim], run: ExecutableRun | None, fidelity: Sequence[Component]
) -> tuple[ExecutableVerdict, ...]:
    """Return one verdict per executable claim, from the one ``run`` of it; None: it did not run."""
    word, reason = _decide(run)
    indicative = run is not None and bool(without_proof(RESTS_ON, fidelity))
    return tuple(ExecutableVerdict(claim, word, indicative, reason, run) for claim in claims)


def _decide(run: ExecutableRun | None) -> tuple[Word, ExecutableReason]:
    if run is None:
        return NOT_TESTABLE, NotRun()
    if run.trained:
        return REPRODUCED, ExecutableTrained(run.kind)
    if run.missing:
        return OPPOSITE, ExecutableMisses(run.kind, run.missing)
    if run.started:
        return OPPOSITE, ExecutableFails(run.kind, run.exit_code)
    return OPPOSITE, NoStart(run.kind, run.exit_code)
