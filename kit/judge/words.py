"""The words of verdicts, as types: mypy rejects a comparison with an unknown word."""

from __future__ import annotations

from typing import Final, Literal

Word = Literal[
    "REPRODUCED", "SAME DIRECTION", "OPPOSITE", "EQUIVALENT", "INCONCLUSIVE", "NOT TESTABLE HERE"
]
"""The word for a claim that kit judges by a session."""
ConsistencyWord = Literal["CONSISTENT", "INCONSISTENT"]
"""The word for a claim that kit judges by the paper only."""
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
    """Return the word of a verdict as shown: marked if ``indicative``, that is, by substitutes."""
    return f"INDICATIVE: {word}" if indicative else word
