"""Reasons in words: one line for every reason there is, and none for what is no reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, get_args

import pytest

from kit.judge import interference
from kit.report.interference_words import WATCHED, disturbance


class Group(NamedTuple):
    """Every kind of one group's reasons, the words for them, and one of each kind."""

    kinds: Any
    words: Callable[[Any], str]
    examples: tuple[object, ...]


GROUPS = {
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
