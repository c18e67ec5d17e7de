"""Statistics: known answers from scipy, and what happens with too little data."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import scipy
from support.sessions import make_entry, make_fits, make_plan, make_record

from kit.errors import InputError
from kit.judge.statistics import (
    Interval,
    NoFits,
    TimeNotFinite,
    TimeNotPositive,
    estimate,
    gain_percent,
    half_width,
    run_statistics,
    value_of,
    why_unusable,
)

RUN = make_plan(["python-cpu"], 1, 4).runs[1]
PYTHON = [1.93, 2.01, 1.88, 2.10, 1.97, 1.90]
DOTNET = [1.84, 1.86, 1.83, 1.91, 1.90, 1.81]


def statistics_of(walls, **fit_changes):
    record = make_record(RUN.run_id, RUN.arm, fits=make_fits(walls, **fit_changes))
    return run_statistics(make_entry(RUN, walls), record)


def test_as_published_numbers_count_the_cold_fit_and_the_warm_median_does_not():
    run = statistics_of([4.0, 1.0, 3.0, 2.0])
    assert (run.minimum, run.maximum, run.mean, run.total) == (1.0, 4.0, 2.5, 10.0)
    assert run.warm_median == 2.0
    assert run.cold == 4.0
    assert run.fits == 4
    assert run.cpu == pytest.approx(2.0 * 1.7)


def test_with_one_fit_the_warm_median_is_that_fit():
    run = statistics_of([4.0])
    assert run.warm_median == run.cold == 4.0


def test_fits_are_taken_by_index_not_by_place():
    record = make_record(RUN.run_id, RUN.arm, fits=tuple(reversed(make_fits([4.0, 1.0, 2.0]))))
    assert run_statistics(make_entry(RUN, [1.0]), record).cold == 4.0


def test_cpu_seconds_that_were_not_recorded_are_none():
    assert statistics_of([4.0, 1.0], user_ns=0, system_ns=0).cpu is None


def test_the_interval_is_scipys_paired_t_interval_on_logs():
    got = estimate("mean", list(zip(PYTHON, DOTNET, strict=True)))
    logs_python = [math.log(x) for x in PYTHON]
    logs_dotnet = [math.log(x) for x in DOTNET]
    known = scipy.stats.ttest_rel(logs_python, logs_dotnet).confidence_interval(0.95)
    assert got.ratio_interval.low == pytest.approx(math.exp(known.low), rel=1e-12)
    assert got.ratio_interval.high == pytest.approx(math.exp(known.high), rel=1e-12)
    differences = [a - b for a, b in zip(logs_python, logs_dotnet, strict=True)]
    one = scipy.stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    assert got.gain_interval.low == pytest.approx(100 * (1 - math.exp(-one.low)), rel=1e-9)
    assert got.ratio == pytest.approx(scipy.stats.gmean(PYTHON) / scipy.stats.gmean(DOTNET))
    assert got.sd_log == pytest.approx(scipy.stats.tstd(differences))
    assert got.pairs == 6
    assert got.unrecorded == ()


def test_the_gain_has_the_papers_form():
    assert gain_percent(1.9769130826 / 1.85115588) == pytest.approx(6.3613, abs=1e-4)
    assert gain_percent(0.5) == -100.0


def test_one_pair_has_a_ratio_and_no_interval_and_says_so():
    got = estimate("mean", [(2.0, 1.0)])
    assert got.ratio == 2.0
    assert got.gain_percent == 50.0
    assert got.ratio_interval is None
    assert got.gain_interval is None
    assert (got.pairs, got.ratio_interval) == (1, None)


def test_no_pair_has_nothing_and_says_so():
    got = estimate("mean", [])
    assert (got.pairs, got.ratio, got.gain_interval) == (0, None, None)
    assert (got.pairs, got.ratio) == (0, None)


def test_equal_pairs_have_an_interval_of_no_width():
    assert estimate("mean", [(2.0, 1.0)] * 3).ratio_interval == Interval(2.0, 2.0)


def test_absurd_times_still_give_finite_numbers():
    got = estimate("mean", [(1e300, 1e-300), (1e-300, 1e300)])
    assert all(
        math.isfinite(x) for b in (got.ratio_interval, got.gain_interval) for x in (b.low, b.high)
    )


@pytest.mark.parametrize(
    "wall, reason",
    [
        (0, TimeNotPositive),
        (-5, TimeNotPositive),
        (math.nan, TimeNotFinite),
        (math.inf, TimeNotFinite),
    ],
)
def test_a_time_that_cannot_be_used_is_named_with_its_fit(wall, reason):
    fits = make_fits([1.0, 1.1])
    record = make_record(RUN.run_id, RUN.arm, fits=(fits[0], replace(fits[1], wall_ns=wall)))
    assert why_unusable(record) == reason(1, wall)


def test_a_record_without_fits_cannot_be_used():
    assert why_unusable(make_record(RUN.run_id, RUN.arm, fits=())) == NoFits()


def test_an_unknown_statistic_is_an_input_error():
    with pytest.raises(InputError, match="'mode' is unknown"):
        value_of(statistics_of([1.0]), "mode")


def test_interval_relations():
    assert Interval(1, 2).overlaps(2, 3)
    assert not Interval(1, 2).overlaps(2.1, 3)
    assert Interval(-2, 2).within(-2, 2)
    assert not Interval(-2, 2.1).within(-2, 2)


@pytest.mark.parametrize(
    "pairs, confidence, quantile",
    [  # 15 digits: SciPy's own functions differ from the tenth or eleventh on
        (2, 0.95, 12.7062047361747),
        (3, 0.95, 4.30265272974946),
        (2, 0.9, 6.31375151467504),
        (3, 0.99, 9.92484320091829),
        (13, 0.95, 2.17881282966723),
    ],
)
def test_an_interval_has_the_same_digits_with_every_scipy(pairs, confidence, quantile) -> None:
    found = half_width(0.1, pairs, confidence)
    assert found == pytest.approx(0.1 * quantile / math.sqrt(pairs), rel=1e-14)


def test_the_quantile_is_students_at_any_number_of_pairs() -> None:
    for pairs in (2, 4, 30, 3000):
        expected = float(scipy.stats.t.ppf(0.975, pairs - 1)) / math.sqrt(pairs)
        assert half_width(1.0, pairs) == pytest.approx(expected, rel=1e-9)
