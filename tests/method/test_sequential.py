"""Group-sequential sessions against a pilot and a fixed number of blocks, by simulation.

Over claimed gains, spreads and truths: errors stay below their levels, claims are decided as
often, in fewer blocks. One claim, no controls; the SD is that of a block's log ratio.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from support.looks import REPRODUCED, SETTLED, SIZE_OPEN, Ended, fixed, sequential
from support.sessions import make_claim, make_session, make_study, paired

from kit.judge.effects import log_of
from kit.judge.pilot import MIN_SD, power_target_of
from kit.judge.power import blocks_for, planning_sd
from kit.judge.stop import look
from kit.plan.budget import FIRST_LOOK, FUTILITY, MIN_AFTER_PILOT, SHAPE
from kit.plan.model import Looks, Stopping

SESSIONS, PILOT = 1000, 5
BUDGETS = {25: 0.8, 45: 0.9}
"""Most blocks, pilot included, and the power that the pilot planned for."""
BANDS = {3.0: (1.5, 4.5), 6.5: (3.0, 10.0), 30.0: (20.0, 40.0), 85.0: (75.0, 91.7)}
SPREADS = (0.02, 0.05, 0.1, 0.2, 0.5)
TRUTHS = {"true": 1.0, "twice": 2.0, "none": 0.0, "opposite": -1.0}
"""Times the log ratio of the claimed gain."""


def off(share: float) -> float:
    """What chance may add to a share, in the worst of a hundred cells."""
    return 3.5 * (share * (1 - share) / SESSIONS) ** 0.5


@dataclass(frozen=True)
class Cell:
    """A claim, a truth and a spread; and sessions of either kind. ``truth`` is a log ratio."""

    most: int
    gain: float
    spread: float
    kind: str
    truth: float
    looked: Ended
    planned: Ended

    @property
    def relative(self) -> float:
        """Mean blocks relative to those of pilot and fixed number."""
        return self.looked.blocks.mean() / (self.planned.blocks.mean() + PILOT)

    def decided(self, ended: Ended) -> float:
        return float(np.isin(ended.words, SETTLED).mean())

    def directed(self, ended: Ended) -> float:
        return float(np.isin(ended.words, (*SETTLED, SIZE_OPEN)).mean())


@cache
def study_of(gain):
    return make_study(claims=(make_claim("C1", "mean", gain, BANDS[gain]),))


@cache
def cells():
    return tuple(
        cell(most, gain, spread, kind)
        for most in BUDGETS
        for gain in BANDS
        for spread in SPREADS
        for kind in TRUTHS
    )


def cell(
    most, gain, spread, kind, first=FIRST_LOOK, shape=SHAPE, futility=FUTILITY, sessions=SESSIONS
):
    """Sessions of one cell; `tests/bench/choose_looks.py` tries other rules than the kit's."""
    random = np.random.default_rng(
        [most, int(10 * gain), int(100 * spread), list(TRUTHS).index(kind)]
    )
    study, truth = study_of(gain), TRUTHS[kind] * log_of(gain)
    target = power_target_of(study.claims[0], study, ())

    @cache
    def needed(twentieths):
        sd = planning_sd(twentieths * spread / 20, PILOT)
        found = blocks_for(sd, sd, target, BUDGETS[most])
        return min(max(found or most, MIN_AFTER_PILOT), most - PILOT)

    logs = random.normal(truth, spread, (sessions, most))
    pilots = random.normal(truth, spread, (sessions, PILOT)).std(axis=1, ddof=1)
    blocks = np.array([needed(int(np.ceil(20 * max(sd, MIN_SD) / spread))) for sd in pilots])
    claim = study.claims[0]
    looked = sequential(logs, claim, Looks(most, first, shape), futility)
    return Cell(most, gain, spread, kind, truth, looked, fixed(logs, claim, blocks))


def test_final_intervals_hold_the_truth():
    for each in cells():
        held = (each.looked.low <= each.truth) & (each.truth <= each.looked.high)
        assert held.mean() >= 0.95 - off(0.05), each
    pooled = [((c.looked.low <= c.truth) & (c.truth <= c.looked.high)).mean() for c in cells()]
    assert np.mean(pooled) >= 0.95


def test_a_wrong_direction_is_found_in_one_session_of_forty():
    for each in cells():
        if each.truth <= 0:
            assert (each.looked.low > 0).mean() <= 0.025 + off(0.025), each
        if each.truth >= 0:
            assert (each.looked.high < 0).mean() <= 0.025 + off(0.025), each


def test_equal_arms_are_hardly_ever_called_reproduced():
    for each in cells():
        if each.kind == "none":
            assert (each.looked.words == REPRODUCED).mean() <= 0.05, each
        if each.kind == "opposite":
            assert (each.looked.words == REPRODUCED).mean() == 0


def test_claims_are_decided_as_often_as_with_a_pilot():
    """In the mean more often; where a cell loses, it is by what the looks cost at one number."""
    for share in (Cell.decided, Cell.directed):
        more = [share(each, each.looked) - share(each, each.planned) for each in cells()]
        assert np.mean(more) >= 0.02
        assert min(more) >= -0.08


def test_large_differences_take_much_fewer_blocks():
    large = [each.relative for each in cells() if each.kind in ("twice", "opposite")]
    assert np.mean(large) <= 0.6
    assert max(large) <= 0.95
    assert np.mean([each.relative for each in cells()]) <= 0.8


def test_more_blocks_are_taken_only_where_a_pilot_left_the_claim_open():
    """Equal arms and a large claim: the pilot planned six blocks, too few for any word."""
    for each in cells():
        if each.relative > 1:
            assert each.kind == "none"
            assert each.gain >= 30
            assert each.decided(each.planned) < 0.5
            assert each.decided(each.looked) >= each.decided(each.planned) - 0.03


def ended_by_kit(logs, most, study):
    """The blocks after which the kit's own rule ends a session, and its last look."""
    session = make_session(paired(list(np.exp(logs))))
    rule = Stopping(FIRST_LOOK, SHAPE, FUTILITY, "size")
    session = replace(
        session, header=replace(session.header, plan=replace(session.header.plan, stopping=rule))
    )
    for blocks in range(FIRST_LOOK, most + 1):
        entries = tuple(entry for entry in session.entries if entry.block < blocks)
        found = look(replace(session, entries=entries), study)
        if found.ending is not None:
            return blocks, found
    raise AssertionError("the last block ends every session")


@pytest.mark.parametrize(
    ("gain", "truth", "spread"), [(6.5, 0.067, 0.04), (6.5, 0.0, 0.03), (30.0, -0.1, 0.1)]
)
def test_the_kit_ends_each_session_where_the_simulation_does(gain, truth, spread):
    random, most, study = np.random.default_rng(5), 12, study_of(gain)
    logs = random.normal(truth, spread, (40, most))
    ended = sequential(logs, study.claims[0], Looks(most, FIRST_LOOK, SHAPE), FUTILITY)
    kinds = {}
    for row in range(len(logs)):
        kinds.setdefault((ended.words[row], ended.blocks[row] < most), row)
    assert len(kinds) >= 2
    for row in list(kinds.values())[:4]:
        blocks, found = ended_by_kit(logs[row], most, study)
        assert blocks == ended.blocks[row]
        assert log_of(found.lead[0].low_percent) == pytest.approx(ended.low[row], abs=1e-9)
        assert log_of(found.lead[0].high_percent) == pytest.approx(ended.high[row], abs=1e-9)
