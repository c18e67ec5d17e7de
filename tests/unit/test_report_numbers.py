"""Numbers as strings."""

from __future__ import annotations

from kit.judge.statistics import estimate
from kit.report import numbers


def test_a_gain_shows_its_sign_and_interval():
    pairs = [(1.07, 1.0), (1.06, 1.0), (1.08, 1.0)]
    assert numbers.gain(estimate("mean", pairs)) == "+6.5 % [+4.3, +8.7]"
    assert numbers.ratio(estimate("mean", pairs)) == "1.070 [1.045, 1.095]"
    assert numbers.gain_in_words(estimate("mean", pairs)) == (
        "+6.5 % (95 % interval +4.3 to +8.7 %)"
    )


def test_one_pair_says_that_it_has_no_interval():
    assert numbers.gain(estimate("mean", [(2.0, 1.0)])) == "+50.0 % [no interval]"
    assert "no interval" in numbers.gain_in_words(estimate("mean", [(2.0, 1.0)]))


def test_nothing_is_a_dash():
    assert numbers.gain(None) == numbers.gain(estimate("mean", [])) == "-"
    assert numbers.ratio(None) == numbers.seconds(None) == numbers.megabytes(None) == "-"
    assert numbers.signed_percent(None) == "-"


def test_absurd_numbers_stay_short():
    text = numbers.gain(estimate("mean", [(9.0, 0.01), (0.01, 9.0)]))
    assert len(text) < 40
    assert len(numbers.ratio(estimate("mean", [(9.0, 0.01), (0.01, 9.0)]))) < 40
