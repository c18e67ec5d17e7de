"""Reasons in words: one line for every reason there is, and none for what is no reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, get_args

import pytest

from kit.judge import consistency, interference
from kit.report.consistency_words import arithmetic
from kit.report.interference_words import WATCHED, disturbance


class Group(NamedTuple):
    """Every kind of one group's reasons, the words for them, and one of each kind."""

    kinds: Any
    words: Callable[[Any], str]
    examples: tuple[object, ...]


_NUMBER = consistency.TextNumber("python", "min", "1.90", 1.8861079216)
_PYTHON = consistency.Steps("python", 44, 49, 1900.0)
_DOTNET = consistency.Steps("dotnet", 37, 42, 1800.0)
GROUPS = {
    "consistency": Group(
        consistency.Reason,
        arithmetic,
        (
            consistency.Rounded((_NUMBER,)),
            consistency.NotRounded((_NUMBER,), 5.36, 4.3),
            consistency.Gains({"mean": 6.4}, {"mean": 6.36}),
            consistency.MeansAndTotals(
                (consistency.MeanAndTotal("fig. 1", "python", 1.9, 20, 38.0, 38.1),)
            ),
            consistency.Stated({"abstract": 20, "text": 100}),
            consistency.Ticks(10**7, 10**6, 10.0, 6, {"1.78510212": 8}),
            consistency.Called("A.Load", "L", ("A.Open",)),
            consistency.StepsAndTotals(_PYTHON, _DOTNET),
        ),
    ),
    "disturbance": Group(
        interference.Disturbance,
        disturbance,
        (
            interference.Stolen(0.03),
            interference.OthersBusy(0.5),
            interference.Swapped(1000),
            interference.SlowedForHeat(2),
            interference.FrequencyChanged(3000.0, 2000.0),
            interference.HeldBack(1.5),
            interference.OtherContainers(1),
            interference.Slept(36000.0),
            interference.Throttled(0.25),
        ),
    ),
}


@pytest.mark.parametrize("name", GROUPS)
def test_every_reason_is_one_line_of_its_own(name: str) -> None:
    group = GROUPS[name]
    assert {type(each) for each in group.examples} == set(get_args(group.kinds))
    said = [group.words(each) for each in group.examples]
    assert all(said) and all(len(each.splitlines()) == 1 for each in said)
    assert len(set(said)) == len(said)


@pytest.mark.parametrize("name", GROUPS)
def test_what_is_no_reason_has_no_words(name: str) -> None:
    with pytest.raises(TypeError):
        GROUPS[name].words("a sentence")


def test_every_disturbance_is_watched_for() -> None:
    assert set(WATCHED) == set(get_args(interference.Disturbance))
    assert len(WATCHED) == len(interference.RULES)
