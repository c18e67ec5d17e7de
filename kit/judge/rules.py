"""Rules of --fail-on: the verdicts that make a command fail.

Rules are separated by commas. WORD (OPPOSITE) fires for any claim with that verdict;
CLAIM=WORD for that claim; CLAIM!=WORD if the claim has another verdict.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kit.errors import InputError
from kit.judge.comparison import Judgement
from kit.judge.words import CONSISTENT, INCONSISTENT, WORDS, AnyWord
from kit.study.model import Study

_KNOWN: tuple[AnyWord, ...] = (*WORDS, CONSISTENT, INCONSISTENT)
_RULE = re.compile(r"(?:(?P<claim>[A-Z][0-9]+)(?P<sign>!?=))?(?P<word>[A-Z][A-Z ]+)")


@dataclass(frozen=True)
class FailRule:
    """One rule of --fail-on. ``claim`` "": any. ``unless``: it fires for every other word."""

    claim: str
    word: AnyWord
    unless: bool = False


def parse_rules(text: str) -> tuple[FailRule, ...]:
    """Return the rules of --fail-on in a text. Raise InputError naming the first invalid one."""
    rules = []
    for part in (part.strip().upper().replace("_", " ") for part in text.split(",")):
        found = _RULE.fullmatch(part)
        written = "" if found is None else found["word"]
        word = next((known for known in _KNOWN if known == written), None)
        if part and word is None:
            raise InputError(
                f"--fail-on: {part!r} is not a rule",
                f"use WORD, CLAIM=WORD or CLAIM!=WORD with one of: {', '.join(_KNOWN)}",
            )
        if found is not None and word is not None:
            rules.append(FailRule(found["claim"] or "", word, found["sign"] == "!="))
    return tuple(rules)


def refuse_unknown_claims(rules: Sequence[FailRule], study: Study) -> None:
    """Raise InputError naming a rule's claim that the study does not make."""
    claims = [
        *(claim.id for claim in study.claims),
        *(claim.id for claim in study.training),
        *(claim.id for claim in study.executable),
        *(claim.id for claim in study.consistency),
    ]
    _refuse_strangers(rules, claims)


def verdict_words(judged: Judgement) -> Mapping[str, tuple[AnyWord, ...]]:
    """Return the words of every claim by its id, one per verdict.

    A verdict that is indicative has the same word as one that is not.
    """
    found: dict[str, list[AnyWord]] = {}
    for part in judged.comparisons:
        for verdict in part.verdicts:
            found.setdefault(verdict.claim.id, []).append(verdict.word)
    others: list[tuple[str, AnyWord]] = [
        *((v.claim.id, v.word) for v in judged.training),
        *((v.claim.id, v.word) for v in judged.executable),
        *((v.claim.id, v.word) for v in judged.consistency),
    ]
    for claim, word in others:
        found.setdefault(claim, []).append(word)
    return {claim: tuple(words) for claim, words in found.items()}


def failing_verdicts(rules: Sequence[FailRule], judged: Judgement) -> tuple[str, ...]:
    """Return the verdicts for which a rule of --fail-on fires, as "claim: word", each once.

    Raise InputError for a rule on a claim that is not judged.
    """
    words = verdict_words(judged)
    _refuse_strangers(rules, tuple(words))
    matches = []
    for rule in rules:
        for claim in (rule.claim,) if rule.claim else tuple(words):
            matches += [
                f"{claim}: {word}" for word in words[claim] if (word == rule.word) != rule.unless
            ]
    return tuple(dict.fromkeys(matches))


def _refuse_strangers(rules: Sequence[FailRule], claims: Sequence[str]) -> None:
    for rule in rules:
        if rule.claim and rule.claim not in claims:
            raise InputError(
                f"--fail-on: no claim is called {rule.claim}", f"use one of: {', '.join(claims)}"
            )
