"""Reasons: each has a sentence of its own, with its numbers."""

from __future__ import annotations

import inspect
from typing import get_args

import pytest

from kit.judge import reasons as why
from kit.judge.missing import NoArm, Unplannable
from kit.judge.statistics import Interval
from kit.judge.throttling import ThrottledArm
from kit.report.numbers import Form
from kit.report.reasons import (
    claim_text,
    control_text,
    executable_brief,
    executable_text,
    still_open_text,
    training_brief,
    training_text,
)
from kit.study.model import Range

BAND = Range(3.0, 10.0)
MEANS = why.Means(0.68, 0.69, Range(0.67, 0.72))
SLOWDOWN = why.Slowdown(6.95, -7.0, Interval(-7.2, -6.8))

CLAIM = (
    why.Missing((NoArm("dotnet", "cpu"), Unplannable("no GPU"))),
    why.OtherWork(("tensors", "wheels")),
    why.TooFewPairs(1),
    why.InBand(BAND),
    why.Equal(),
    why.PerhapsEqual(),
    why.SizeOpen(BAND),
    why.SizeDiffers("above", BAND),
    why.Against(),
    why.ByChance(0.07),
    why.TooWide(),
    why.InMargin(5.0),
    why.BeyondMargin(5.0),
    why.BeyondByChance(5.0, 0.07),
    why.MarginOpen(5.0, 0.3),
    why.Capped(
        (why.FailedControl("placebo", why.PlaceboDiffers("mean", 0.001)),),
        (ThrottledArm("python-cpu", 0.0), ThrottledArm("dotnet-cpu", 0.5)),
        "OPPOSITE",
        why.Against(),
    ),
)
CONTROL = (
    why.TooFewPairs(1),
    why.PlaceboHeld(0.4),
    why.PlaceboDiffers("mean", 0.001),
    why.SlowdownFound(SLOWDOWN),
    why.SlowdownMissed(SLOWDOWN),
    why.SlowdownElsewhere(SLOWDOWN),
)
QUANTITY = (
    why.NotFinite(),
    why.OneBlock(MEANS),
    why.MeansDiffer(MEANS),
    why.TooFewBlocks(MEANS),
    why.EqualInRange(MEANS),
    why.EqualElsewhere(MEANS),
)
TRAINING = (
    why.Missing((NoArm("dotnet", "cpu"),)),
    why.NothingTrained(),
    why.OtherWork(("tensors",)),
    *(why.ByQuantity((("loss", each), ("accuracy", each))) for each in QUANTITY),
)
EXECUTABLE = (
    why.NotRun(),
    why.ExecutableTrained("self-contained"),
    why.ExecutableMisses("apphost", "libpython3.8.so.1.0"),
    why.ExecutableFails("other", 1),
    why.NoStart("apphost", None),
)
STILL_OPEN = tuple(
    why.StillOpen(aim, blocks, 4, more)
    for aim in get_args(why.Aim)
    for blocks, more in ((None, None), (12, None), (12, 20))
)
PARTS = (why.Slowdown, why.FailedControl, why.Means)
"""Of reasons: no sentence of their own."""


def sentences() -> dict[object, str]:
    made: dict[object, str] = {}
    for form in Form:
        made |= {(form, each): claim_text(each, form) for each in CLAIM}
    made |= {("control", each): control_text(each) for each in CONTROL}
    made |= {("training", each): training_text(each) for each in TRAINING}
    made |= {("executable", each): executable_text(each) for each in EXECUTABLE}
    return made | {each: still_open_text(each) for each in STILL_OPEN}


def test_every_reason_is_tried() -> None:
    named = inspect.getmembers(why, inspect.isclass)
    classes = {each for _, each in named if each.__module__ == why.__name__}
    tried = (*CLAIM, *CONTROL, *QUANTITY, *TRAINING, *EXECUTABLE, *STILL_OPEN)
    assert {type(each) for each in tried} == classes - set(PARTS)


def test_each_has_one_line_and_each_another() -> None:
    made = sentences()
    for reason, text in made.items():
        assert text.strip() and text.isprintable(), reason
    of_gain = [made[Form.GAIN, each] for each in CLAIM]
    assert len(set(of_gain)) == len(of_gain)
    assert len({made["control", each] for each in CONTROL}) == len(CONTROL)
    assert len({made["training", each] for each in TRAINING}) == len(TRAINING)
    assert len({made["executable", each] for each in EXECUTABLE}) == len(EXECUTABLE)
    assert len({made[each] for each in STILL_OPEN}) == len(STILL_OPEN)


def test_in_few_words_each_says_something_else() -> None:
    of_quantity = [training_brief(why.ByQuantity((("loss", each),))) for each in QUANTITY]
    of_executable = [executable_brief(each) for each in EXECUTABLE]
    for brief in (of_quantity, of_executable):
        assert len(set(brief)) == len(brief)
        assert all(0 < len(each) <= 60 for each in brief)
    both = why.ByQuantity((("loss", QUANTITY[4]), ("accuracy", QUANTITY[4])))
    apart = why.ByQuantity((("loss", QUANTITY[4]), ("accuracy", QUANTITY[2])))
    assert training_brief(both).startswith("loss and accuracy ")
    assert training_brief(apart).count(";") == 1
    assert "libpython3.8.so.1.0" in executable_brief(EXECUTABLE[2])


def test_the_numbers_stand_in_the_sentence() -> None:
    assert "3 to 10 %" in claim_text(why.InBand(BAND), Form.GAIN)
    assert "1.03x to 1.11x faster" in claim_text(why.InBand(BAND), Form.FACTOR)
    assert "tensors, wheels" in claim_text(CLAIM[1], Form.GAIN)
    capped = claim_text(CLAIM[-1], Form.GAIN)
    assert "placebo: " in capped and "python-cpu 0.00, dotnet-cpu 0.50" in capped
    assert "OPPOSITE: " in capped
    assert "-7.0 % [-7.2, -6.8]" in control_text(why.SlowdownFound(SLOWDOWN))
    assert "0.6800 and 0.6900 (published 0.67 to 0.72)" in training_text(TRAINING[-1])
    assert "no runtime pack" in executable_text(EXECUTABLE[2])
    assert "about 20" in still_open_text(STILL_OPEN[2])


@pytest.mark.parametrize("write", [control_text, training_text, executable_text, executable_brief])
def test_what_is_no_reason_is_refused(write) -> None:
    with pytest.raises(TypeError):
        write("a sentence")
