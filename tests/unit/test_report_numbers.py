"""Numbers as strings."""

from __future__ import annotations

import math

import pytest

from kit.judge.statistics import Estimate, Interval, estimate
from kit.report import headline, numbers
from kit.report.numbers import Form


def pairs(*ratios):
    return estimate("mean", [(ratio, 1.0) for ratio in ratios])


def test_a_gain_shows_its_sign_and_interval():
    found = pairs(1.07, 1.06, 1.08)
    assert numbers.format_gain(found, Form.GAIN) == "+6.5 % [+4.3, +8.7]"
    assert numbers.format_gain(found, Form.FACTOR) == "1.07x faster [1.05x, 1.10x]"
    assert numbers.format_ratio(found) == "1.070 [1.045, 1.095]"
    words = headline.gain_in_words(found, Form.GAIN)
    assert words == "+6.5 % (95 % interval +4.3 to +8.7 %)"


@pytest.mark.parametrize(
    "ratios, shown",
    [
        ((6.7, 6.8, 6.6), "6.7x faster [6.5x, 7.0x]"),
        ((1 / 6.7, 1 / 6.8, 1 / 6.6), "6.7x slower [6.5x, 7.0x]"),
        ((20.0, 20.2, 19.8), "20x faster [20x, 21x]"),
        ((1 / 20.0, 1 / 20.2, 1 / 19.8), "20x slower [20x, 21x]"),
        ((1.1, 1.9, 0.9), "1.23x faster [2.1x slower, 3.2x faster]"),
        ((2.0, 2.0, 2.0), "2.0x faster [2.0x, 2.0x]"),
        ((1e5, 1.1e5, 0.9e5), "over 1000x faster [over 1000x, over 1000x]"),
    ],
)
def test_from_a_factor_of_two_on_it_is_a_factor(ratios, shown):
    assert numbers.format_gain(pairs(*ratios), Form.GAIN) == shown


def test_a_claim_has_its_own_form_and_the_one_it_is_compared_in():
    assert numbers.format_claimed(85.0, Form.FACTOR) == "+85.0 % (6.7x faster)"
    assert numbers.format_claimed(-400.0, Form.FACTOR) == "-400.0 % (5.0x slower)"
    assert numbers.format_claimed(6.5, Form.GAIN) == "+6.5 %"


def test_one_pair_says_that_it_has_no_interval():
    assert numbers.format_gain(pairs(1.25), Form.GAIN) == "+20.0 % (no interval)"
    assert "no interval" in headline.gain_in_words(pairs(2.0), Form.GAIN)


def test_nothing_is_a_dash():
    empty = estimate("mean", [])
    assert numbers.format_gain(None, Form.GAIN) == numbers.format_gain(empty, Form.FACTOR) == "-"
    assert (
        numbers.format_ratio(None)
        == numbers.format_seconds(None)
        == numbers.format_megabytes(None)
        == "-"
    )
    assert numbers.format_effect(None, Form.GAIN) == numbers.format_number(math.nan) == "-"


def test_an_interval_that_says_nothing_is_not_determined():
    found = estimate("mean", [(9.0, 0.01), (0.01, 9.0)])
    assert (
        numbers.format_gain(found, Form.GAIN) == numbers.format_ratio(found) == numbers.UNDETERMINED
    )
    assert headline.gain_in_words(found, Form.GAIN).startswith(numbers.UNDETERMINED)
    # One-sided: however wide, it excludes no difference, and that is said.
    assert numbers.format_gain(pairs(1000.0, 100.0, 400.0), Form.GAIN) == (
        "340x faster [19x, over 1000x]"
    )


@pytest.mark.parametrize("value", [10**400, 1e308, 1e12, -(10**400), math.inf])
def test_no_number_is_too_large_to_print(value):
    shown = [
        numbers.format_number(value, 4),
        numbers.format_seconds(value),
        numbers.format_gigabytes(value * 10**9),
    ]
    assert all(numbers.OUT_OF_RANGE in text for text in shown)


@pytest.mark.parametrize(
    "value, bounds, form, text",
    [
        (6.4, (6.0, 6.8), Form.GAIN, "took 6.4 % less time than Py (95 % interval 6.0 to 6.8 %)"),
        (-39.9, (-43.8, -36.1), Form.GAIN,
         "took 39.9 % more time than Py (95 % interval 36.1 to 43.8 %)"),
        (7.4, (-12.2, 23.5), Form.GAIN,
         "took 7.4 % less time than Py (95 % interval 12.2 % more to 23.5 % less)"),
        (85.0, (80.0, 88.0), Form.GAIN,
         "was 6.7x faster than Py (95 % interval 5.0x to 8.3x faster)"),
        (0.1, (-0.2, 0.3), Form.FACTOR,
         "took 1.00x the time of Py (95 % interval 1.00x to 1.00x)"),
        (3.0, None, Form.GAIN, "took 3.0 % less time than Py, no interval"),
    ],
)  # fmt: skip
def test_a_difference_says_who_took_more_time(value, bounds, form, text) -> None:
    interval = None if bounds is None else Interval(*bounds)
    found = Estimate("mean", 6, 1.0, None, value, interval, None)
    assert headline.difference(found, "Py", "C#", form) == f"C# {text}"
