"""Noise never makes a better word: a property of every verdict on times."""

from __future__ import annotations

import math
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sessions import make_claim, make_equal, make_session, make_study, paired

from kit.judge.comparison import judge
from kit.judge.reasons import SizeOpen
from kit.judge.words import EQUIVALENT, INCONCLUSIVE, OPPOSITE, REPRODUCED, SAME_DIRECTION
from kit.study.load import shipped_study
from kit.study.model import Range

RANK = {REPRODUCED: 3, SAME_DIRECTION: 2, EQUIVALENT: 1, OPPOSITE: 1, INCONCLUSIVE: 0}
"""The first two speak for a claim; to be called undecided is the weakest."""
SHAPE = (-1.3, 0.7, 1.1, -0.9, 0.4, 0.0)


def verdict(centre, spread, claim):
    """The verdict on six blocks whose log ratios have that mean and that spread."""
    mean = fmean(SHAPE)
    ratios = [math.exp(centre + spread * (value - mean)) for value in SHAPE]
    study = make_study(claims=(claim,))
    return judge(make_session(paired(ratios, fits=2)), study).comparisons[0].verdicts[0]


GAINS = st.floats(-300.0, 92.0).filter(lambda gain: abs(gain) > 0.1)


@pytest.mark.slow
@given(
    claimed=GAINS,
    below=st.floats(0.0, 60.0),
    above=st.floats(0.0, 60.0),
    off=st.floats(-0.3, 0.3),
    spread=st.floats(1e-4, 0.3),
    wider=st.floats(1.0, 30.0),
)
def test_a_wider_interval_around_the_same_estimate_never_gives_a_better_word(
    claimed, below, above, off, spread, wider
):
    claim = make_claim(gain=claimed, band=(claimed - below, min(claimed + above, 99.0)))
    centre = -math.log1p(-claimed / 100) + off
    narrow, wide = verdict(centre, spread, claim), verdict(centre, spread * wider, claim)
    assert RANK[wide.word] <= RANK[narrow.word], (narrow.reason, wide.reason)
    # Nor does noise turn what speaks against a claim into what speaks for it, or about.
    assert wide.word in (narrow.word, INCONCLUSIVE, SAME_DIRECTION, EQUIVALENT)
    assert (wide.word == OPPOSITE) <= (narrow.word == OPPOSITE)
    assert (wide.word == EQUIVALENT) <= (narrow.word in (EQUIVALENT, REPRODUCED))


@given(
    margin=st.floats(0.1, 60.0),
    off=st.floats(-3.0, 3.0),
    spread=st.floats(1e-4, 0.3),
    wider=st.floats(1.0, 30.0),
)
@pytest.mark.slow
def test_a_wider_interval_never_gives_a_better_word_to_a_claim_of_equality(
    margin, off, spread, wider
):
    claim = make_equal(margin)
    centre = off * math.log1p(margin / 100)
    narrow, wide = verdict(centre, spread, claim), verdict(centre, spread * wider, claim)
    assert narrow.word in ((REPRODUCED, INCONCLUSIVE) if abs(off) < 1 else (OPPOSITE, INCONCLUSIVE))
    assert wide.word in (narrow.word, INCONCLUSIVE), (narrow.reason, wide.reason)


@pytest.mark.parametrize("centre", [-0.018, 0.0, 0.012, 0.025])
def test_around_the_margin_of_equality_too(centre):
    claim = make_claim(gain=3.0, band=(1.0, 5.0))
    words = [verdict(centre, 1.5**step * 1e-4, claim).word for step in range(0, 22, 4)]
    ranks = [RANK[word] for word in words]
    assert ranks == sorted(ranks, reverse=True), words


@given(centre=st.floats(-1.5, 2.0), spread=st.floats(1e-3, 0.5))
def test_reproduced_is_said_only_where_the_whole_interval_lies_within_the_band(centre, spread):
    claim = make_claim(gain=85.0, band=(75.0, 91.7))
    found = verdict(centre, spread, claim)
    interval = found.measured.gain_interval
    if found.word == REPRODUCED:
        assert 75.0 <= interval.low <= interval.high <= 91.7
    elif found.word == SAME_DIRECTION:
        assert not (interval.low >= 75.0 and interval.high <= 91.7)
        assert interval.low > 0


@pytest.mark.parametrize("band", [(75.0, 91.7), (19.0, 30.0), (93.0, 95.0)])
def test_an_interval_as_wide_as_a_claim_settles_no_size(band):
    """Once an interval of +18.5 to +95.6 % reproduced each of these bands."""
    claim = make_claim(gain=sum(band) / 2, band=band)
    centre = (-math.log1p(-0.185) - math.log1p(-0.956)) / 2
    found = verdict(centre, 1.41, claim)
    interval = found.measured.gain_interval
    assert interval.low < 30 and interval.high > 93 and interval.low > 0
    assert found.word == SAME_DIRECTION
    assert found.reason == SizeOpen(Range(*band))


def test_an_unsettled_size_says_how_many_blocks_settle_it():
    claim = make_claim(gain=6.5, band=(3.0, 10.0))
    found = verdict(-math.log1p(-0.065), 0.045, claim)
    assert found.word == SAME_DIRECTION
    assert found.blocks_to_decide > 6
    assert (found.still_open.aim, found.still_open.pairs) == ("size", 6)


def test_claims_of_another_kind_change_no_verdict_on_times():
    session = make_session(paired([1.05, 1.09, 1.06, 1.08, 1.07, 1.04]))
    plain = judge(session, make_study()).comparisons[0].verdicts
    shipped = shipped_study()
    more = make_study(
        training=shipped.training,
        executable=shipped.executable,
        consistency=shipped.consistency,
    )
    assert judge(session, more).comparisons[0].verdicts == plain


@pytest.mark.parametrize("gain", [1.7, -1.7])
def test_a_difference_that_may_lie_within_two_percent_has_no_direction(gain):
    found = verdict(-math.log1p(-gain / 100), 0.005, make_claim(gain=6.5, band=(3.0, 10.0)))
    interval = found.measured.gain_interval
    assert interval.low * interval.high > 0 and found.holm_p < 0.05
    assert max(abs(interval.low), abs(interval.high)) > 2
    assert found.word == INCONCLUSIVE
