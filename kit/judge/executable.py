"""The claim on the executable: does what a user is handed work on its own?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kit.judge.words import NOT_TESTABLE, OPPOSITE, REPRODUCED, Word, printed
from kit.records.images import Component, ExecutableRun, without_proof
from kit.study.model import ExecutableClaim

RESTS_ON = ("dotnet", "binding")
"""Components whose substitutes make the verdict indicative."""
_KINDS = {
    "self-contained": "an executable with the .NET runtime inside it",
    "apphost": "an executable with the .NET runtime's folder beside it (no runtime pack could "
    "be had to put it inside)",
}


@dataclass(frozen=True)
class ExecutableVerdict:
    """What is to be said of the claim, and the run behind it."""

    claim: ExecutableClaim
    word: Word
    indicative: bool
    rule: str
    run: ExecutableRun | None

    @property
    def printed(self) -> str:
        """The word as it is to be shown; never a plain one over a substitute."""
        return printed(self.word, self.indicative)


def judge_executable(
    claims: Sequence[ExecutableClaim], run: ExecutableRun | None, fidelity: Sequence[Component]
) -> tuple[ExecutableVerdict, ...]:
    """One verdict a claim of that kind."""
    word, rule = _decide(run)
    indicative = run is not None and bool(without_proof(RESTS_ON, fidelity))
    return tuple(ExecutableVerdict(claim, word, indicative, rule, run) for claim in claims)


def _decide(run: ExecutableRun | None) -> tuple[Word, str]:
    if run is None:
        return NOT_TESTABLE, "missing: no executable was built or run (it comes with a dotnet arm)"
    what = _KINDS.get(run.kind, "the executable")
    if run.trained:
        return REPRODUCED, f"{what} trained on a Debian without Python and TensorFlow"
    if run.missing:
        return OPPOSITE, f"{what} starts, but does not train: it misses {run.missing}"
    if run.started:
        return OPPOSITE, f"{what} starts, but does not train (exit code {run.exit_code})"
    return OPPOSITE, f"{what} does not start (exit code {run.exit_code})"
