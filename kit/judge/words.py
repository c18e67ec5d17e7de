"""The words of verdicts, as types: a comparison with a word that does not exist is an error."""

from __future__ import annotations

from typing import Final, Literal

Word = Literal[
    "REPRODUCED", "SAME DIRECTION", "OPPOSITE", "EQUIVALENT", "INCONCLUSIVE", "NOT TESTABLE HERE"
]
"""Of a claim that a session is judged on."""
ConsistencyWord = Literal["CONSISTENT", "INCONSISTENT"]
"""Of a claim that the paper alone is judged on."""
AnyWord = Word | ConsistencyWord

REPRODUCED: Final = "REPRODUCED"
SAME_DIRECTION: Final = "SAME DIRECTION"
OPPOSITE: Final = "OPPOSITE"
EQUIVALENT: Final = "EQUIVALENT"
INCONCLUSIVE: Final = "INCONCLUSIVE"
NOT_TESTABLE: Final = "NOT TESTABLE HERE"
CONSISTENT: Final = "CONSISTENT"
INCONSISTENT: Final = "INCONSISTENT"

WORDS: tuple[Word, ...] = (
    REPRODUCED, SAME_DIRECTION, OPPOSITE, EQUIVALENT, INCONCLUSIVE, NOT_TESTABLE
)  # fmt: skip


def printed(word: Word, indicative: bool) -> str:
    """Return a verdict's word as it is shown; never a plain one over a substitute."""
    return f"INDICATIVE: {word}" if indicative else word
