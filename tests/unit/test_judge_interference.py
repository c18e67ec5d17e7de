"""Disturbances: flagged by stated rules, never left out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.sessions import change_run, make_session, make_study, paired

from kit.judge.comparison import judge
from kit.judge.interference import (
    RULES,
    FrequencyChanged,
    HeldBack,
    OtherContainers,
    OthersBusy,
    Slept,
    SlowedForHeat,
    Stolen,
    Swapped,
    flags,
)
from kit.judge.pairing import SeveralMachines
from kit.records.host import HostConditions

QUIET = HostConditions(0.5, 1.5, 12_000_000_000, 3)
SESSION = make_session(paired([1.05, 1.06, 1.04]))


@pytest.mark.parametrize(
    "change, what",
    [
        ({"steal_ticks": 100}, Stolen(0.025)),
        ({"busy_cpus_before": 0.5}, OthersBusy(0.5)),
        ({"swapped_pages": 1000}, Swapped(1000)),
        ({"throttle_events": 2}, SlowedForHeat(2)),
        (
            {"frequency_mhz_before": 3000.0, "frequency_mhz_after": 2000.0},
            FrequencyChanged(3000.0, 2000.0),
        ),
        ({"quota_throttled_us": 1_500_000}, HeldBack(1.5)),
        ({"other_containers": 1}, OtherContainers(1)),
        ({"suspended_s": 36000.0}, Slept(36000.0)),
    ],
)
def test_every_rule_fires_and_the_run_still_counts(change, what):
    session = change_run(SESSION, "t1-python-cpu", host=replace(QUIET, **change))
    result = judge(session, make_study())
    (flag,) = result.flags
    assert flag.run_id == "t1-python-cpu"
    assert flag.what == what
    assert "t1-python-cpu" in {run.run_id for run in result.runs}


def test_a_quiet_host_has_no_flags():
    assert flags(SESSION.timed(), 2) == ()
    assert len(RULES) == 9
    unknown = HostConditions(0.5, 1.5, 1, None)
    assert flags([replace(e, host=unknown) for e in SESSION.timed()], 2) == ()


def test_blocks_across_machines_are_left_out_by_name():
    session = change_run(SESSION, "t1-python-cpu", machine="another")
    result = judge(session, make_study())
    reasons = {e.run_id: e.reason for e in result.exclusions}
    assert reasons == dict.fromkeys(("t1-python-cpu", "t1-dotnet-cpu"), SeveralMachines(1))
    assert len(result.comparisons[0].blocks) == 2


def test_a_run_is_flagged_by_the_cpus_of_its_own_machine():
    """60 ticks in 20 s: 1.5 % of two CPUs' time, 3 % of one CPU's, 0.05 % of 64 CPUs'."""
    host = replace(QUIET, steal_ticks=60)
    entry = replace(SESSION.timed()[0], host=host)
    assert [flag.what for flag in flags([replace(entry, cpus=1)], 64)] == [Stolen(0.03)]
    assert flags([replace(entry, cpus=64)], 1) == ()
    assert flags([entry], 64) == () and len(flags([entry], 1)) == 1, "an older log's"
