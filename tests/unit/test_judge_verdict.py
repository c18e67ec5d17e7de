"""Verdicts: each word, the caps, and the reason for each."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.sessions import (
    DOTNET,
    PYTHON,
    change_identity,
    fail_run,
    make_claim,
    make_fidelity,
    make_session,
    make_study,
    paired,
    sha,
)

from kit.judge import verdict as v
from kit.judge.comparison import judge
from kit.judge.missing import NoArm, NoUsableRun
from kit.judge.pairing import RunFailed
from kit.judge.reasons import (
    ByChance,
    Equal,
    InBand,
    Missing,
    OtherWork,
    SizeDiffers,
    TooFewPairs,
    TooWide,
)
from kit.judge.verdict import substitutes
from kit.judge.words import EQUIVALENT, INCONCLUSIVE, NOT_TESTABLE, REPRODUCED, SAME_DIRECTION
from kit.records.images import Component
from kit.study.model import Range

SIX = [1 / 0.936, 1 / 0.933, 1 / 0.939, 1 / 0.935]  # gains of about 6.4 %
NONE = [1.001, 0.999, 1.002, 0.998]
SLOWER = [0.70, 0.72, 0.69, 0.71]
WIDE = [1.20, 0.85, 1.10, 0.95]


def verdicts(ratios, *substituted, study=None, session=None):
    session = session or make_session(paired(ratios), make_fidelity(*substituted))
    return judge(session, study or make_study()).comparisons[0].verdicts


def words(*args, **kwargs):
    return [verdict.printed for verdict in verdicts(*args, **kwargs)]


def test_the_papers_own_gain_on_exact_components_is_reproduced():
    got = verdicts(SIX)
    # 6.4 % with a narrow interval lies within every band: 3-10, 2-8, 5.5-17, 3-10.
    assert [x.printed for x in got] == ["REPRODUCED"] * 4
    assert not got[0].indicative
    assert got[0].reason == InBand(Range(3.0, 10.0))
    assert got[0].measured.gain_percent == pytest.approx(6.425, abs=0.01)
    assert got[0].warm_median.statistic == "warm_median"


@pytest.mark.parametrize("name", ["python", "tensorflow", "dotnet", "binding", "data"])
def test_a_substituted_component_makes_every_verdict_indicative(name):
    assert words(SIX, name) == ["INDICATIVE: REPRODUCED"] * 4


def test_another_operating_system_alone_is_no_substitute_of_what_is_claimed():
    assert v.substitutes(make_study(), make_fidelity()) == ()


def test_a_component_without_a_row_is_not_taken_for_exact():
    rows = [row for row in make_fidelity() if row.name != "binding"]
    assert v.substitutes(make_study(), rows) == ("binding",)
    assert (
        v.substitutes(
            make_study(), [replace(row, name=row.name.title()) for row in make_fidelity()]
        )
        == ()
    )


def test_a_larger_gain_than_the_band_is_the_same_direction():
    got = verdicts([1.5, 1.52, 1.49, 1.51])
    assert {x.word for x in got} == {SAME_DIRECTION}
    assert got[0].reason == SizeDiffers("above", Range(3.0, 10.0))
    assert got[0].blocks_to_decide is None


def test_equal_arms_are_equivalent():
    got = verdicts(NONE)
    assert {x.word for x in got} == {EQUIVALENT}
    assert {x.reason for x in got} == {Equal()}


def test_a_slower_second_stack_is_the_opposite():
    assert words(SLOWER, "binding") == ["INDICATIVE: OPPOSITE"] * 4


def test_a_wide_interval_is_inconclusive_with_the_blocks_that_would_decide():
    got = verdicts(WIDE)[0]
    assert got.word == INCONCLUSIVE
    assert got.blocks_to_decide is not None
    assert got.blocks_to_decide > 4
    assert got.reason == TooWide()
    assert (got.still_open.aim, got.still_open.pairs) == ("effect", 4)


def test_an_interval_that_only_just_excludes_0_is_not_enough_among_four_claims():
    ratios = [1.020, 1.075, 1.012, 1.070, 1.004, 1.062]
    alone = verdicts(ratios, study=make_study(claims=(make_claim(gain=4.0, band=(0.1, 8.0)),)))[0]
    assert alone.word == REPRODUCED
    assert alone.holm_p == pytest.approx(alone.tests.t)
    among = verdicts(ratios)[0]
    assert among.measured.gain_interval.low > 0
    assert among.holm_p == pytest.approx(4 * among.tests.t)
    assert among.word == INCONCLUSIVE
    assert among.reason == ByChance(among.holm_p)


def test_equal_arms_under_noise_are_inconclusive_not_equal():
    assert verdicts([1.05, 0.95, 1.04, 0.97])[0].word == INCONCLUSIVE


def test_a_small_real_gain_inside_two_percent_is_called_equal():
    assert verdicts([1.010, 1.011, 1.0105, 1.0095])[0].word == EQUIVALENT


def test_a_claim_that_the_first_stack_is_faster_is_judged_in_its_own_direction():
    claim = make_claim(gain=-40.0, band=(-60.0, -30.0))
    study = make_study(claims=(claim,))
    assert words(SLOWER, study=study) == ["REPRODUCED"]
    assert words(SIX, study=study) == ["OPPOSITE"]
    far = make_study(claims=(make_claim(gain=-5.0, band=(-10.0, -3.0)),))
    assert words(SLOWER, study=far) == ["SAME DIRECTION"]


def test_one_block_decides_nothing():
    got = verdicts([1.06])
    assert {x.word for x in got} == {INCONCLUSIVE}
    assert got[0].blocks_to_decide is None
    assert got[0].reason == TooFewPairs(1)
    assert got[0].measured.gain_percent is not None


def test_other_work_caps_even_a_clear_gain():
    session = change_identity(make_session(paired(SIX)), "i-dotnet-cpu", tensors={"x": sha("no")})
    got = verdicts(SIX, session=session)
    assert {x.word for x in got} == {INCONCLUSIVE}
    assert isinstance(got[0].reason, OtherWork) and "tensors" in got[0].reason.checks
    assert got[0].blocks_to_decide is None


def test_an_arm_outside_the_plan_is_not_testable_and_says_what_is_missing():
    got = verdicts(
        SIX, session=make_session({PYTHON: paired(SIX)[PYTHON]}, make_fidelity("dotnet"))
    )
    assert {x.printed for x in got} == {"NOT TESTABLE HERE"}
    assert got[0].measured is None
    assert got[0].reason == Missing((NoArm("dotnet", "cpu"),))


def test_an_arm_whose_every_run_failed_is_not_testable_and_says_why():
    session = make_session(paired([1.06, 1.07]))
    for block in (0, 1):
        session = fail_run(session, f"t{block}-{DOTNET}", "out of memory")
    got = verdicts(SIX, session=session)[0]
    assert got.word == NOT_TESTABLE
    failed = RunFailed("out of memory")
    assert got.reason == Missing((NoUsableRun(DOTNET, (failed, failed)),))


def test_a_failed_run_leaves_the_rest_to_judge():
    session = fail_run(make_session(paired(SIX)), "t1-dotnet-cpu")
    got = verdicts(SIX, session=session)[0]
    assert got.word == REPRODUCED
    assert got.measured.pairs == 3


@pytest.mark.parametrize(
    "statistic, gain", [("mean", 6.3613), ("total", 6.3613), ("min", 5.3552), ("max", 11.4142)]
)
def test_the_figures_own_gain_is_computed_from_their_seconds(statistic, gain):
    assert v.figures_gain(make_study(), statistic) == pytest.approx(gain, abs=1e-3)


def test_a_statistic_the_figures_lack_has_no_published_gain():
    study = make_study()
    assert v.figures_gain(study, "warm_median") is None
    bare = replace(study, paper=replace(study.paper, figures={}))
    assert v.figures_gain(bare, "mean") is None


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_rows_on_one_component_the_substitute_counts(order):
    (exact,) = (row for row in make_fidelity() if row.name == "dotnet")
    rows = (replace(exact, exact=False), exact)[::order]
    others = tuple(row for row in make_fidelity() if row.name != "dotnet")
    assert substitutes(make_study(), (*others, *rows)) == ("dotnet",)


def test_a_component_is_found_however_its_name_is_written():
    study = make_study()
    study = replace(study, paper=replace(study.paper, claimed=("TensorFlow",)))
    rows = (Component("TensorFlow", "2.10.1", "2.10.1", True, "as wanted"),)
    assert substitutes(study, rows) == ()


def test_the_blocks_that_would_decide_are_more_among_more_claims():
    alone = verdicts(WIDE, study=make_study(claims=(make_claim(),)))[0]
    among = verdicts(WIDE)[0]
    assert alone.measured.sd_log == among.measured.sd_log
    assert alone.blocks_to_decide < among.blocks_to_decide
