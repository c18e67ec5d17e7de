"""What a fit cost: medians without the cold fit, growth from fit to fit."""

from __future__ import annotations

import pytest
from support.sessions import DOTNET, PYTHON, change_record, make_fits, make_session, paired

from kit.judge.cost import fit_costs

SESSION = make_session(paired([1.05, 1.06], fits=3))
ALL = {e.run_id for e in SESSION.entries}


def test_memory_kept_between_fits_is_counted_per_fit():
    python, dotnet = fit_costs(SESSION, ALL)
    assert (python.arm, dotnet.arm, python.runs) == (PYTHON, DOTNET, 2)
    assert python.rss_growth_bytes == pytest.approx(5e6)
    assert dotnet.rss_growth_bytes == pytest.approx(600e6)
    assert dotnet.rss_peak_bytes == 2_800_000_000


def test_cpu_faults_and_clock_gap():
    session = change_record(SESSION, f"t0-{PYTHON}", fits=make_fits([9.0, 2.0, 4.0]))
    cost = fit_costs(session, {f"t0-{PYTHON}"})[0]
    assert cost.wall_s == 3.0
    assert cost.user_s == pytest.approx(4.5)
    assert cost.system_s == pytest.approx(0.6)
    assert cost.minor_faults == 1001.5
    assert cost.clock_gap_s == pytest.approx(0.0001)


def test_one_fit_has_no_growth_and_no_run_has_no_cost():
    session = make_session({PYTHON: [[1.8]], DOTNET: [[1.8]]})
    python, dotnet = fit_costs(session, {f"t0-{PYTHON}"})
    assert python.rss_growth_bytes is None
    assert (dotnet.runs, dotnet.wall_s, dotnet.rss_peak_bytes) == (0, None, None)
