"""Reasons in words: one line for every reason there is, and none for what is no reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple, cast, get_args

import pytest

from kit.judge import check, consistency, interference, missing, pairing, statistics
from kit.judge.pilot import PilotResult
from kit.report.conditions import WATCHED, disturbance, exclusion, lack
from kit.report.findings import arithmetic, compared, detail, difference
from kit.report.sample_size import blocks_because


class Group(NamedTuple):
    """Every kind of one group's reasons, the words for them, and one of each kind."""

    kinds: Any
    words: Callable[[Any], str]
    examples: tuple[object, ...]


_NUMBER = consistency.TextNumber("python", "min", "1.90", 1.8861079216)
_PYTHON = consistency.Steps("python", 44, 49, 1900.0)
_DOTNET = consistency.Steps("dotnet", 37, 42, 1800.0)
_POINT = check.Point("loss", 1, 5)
GROUPS = {
    "consistency": Group(
        consistency.Reason,
        arithmetic,
        (
            consistency.Rounded((_NUMBER,)),
            consistency.NotRounded((_NUMBER,), 5.36, 4.3),
            consistency.Gains({"mean": 6.4}, {"mean": 6.36}),
            consistency.MeansAndTotals(
                (consistency.MeanAndTotal("fig. 1", "python", 1.9, 20, 38.0, 38.1),)
            ),
            consistency.Stated({"abstract": 20, "text": 100}),
            consistency.Ticks(10**7, 10**6, 10.0, 6, {"1.78510212": 8}),
            consistency.Called("A.Load", "L", ("A.Open",)),
            consistency.StepsAndTotals(_PYTHON, _DOTNET),
        ),
    ),
    "compared": Group(
        check.Compared,
        compared,
        (
            check.FewArms(1),
            check.IdentityRuns(("python", "dotnet")),
            check.Versions(("numpy",)),
            check.Values(2, "payloads"),
            check.OneHash(),
            check.Libraries(40, {"dotnet": 3}),
            check.Wheels({"python": 12}),
            check.TimedRuns(6),
            check.Fits(5),
        ),
    ),
    "difference": Group(
        check.Difference,
        lambda found: difference(found, "data"),
        (
            check.NoIdentityRun("python"),
            check.IdentityRunFailed("python", "timed out"),
            check.OtherWork("tensors", "t1-python", "python"),
            check.OtherFits("t1-python", "python", 3, 5),
            check.NotRecorded("weights", "python"),
            check.NothingRecorded("python"),
            check.ValueDiffers("x_train", "python", "a" * 64, "dotnet", None),
            check.NotFinite(_POINT, "python"),
            check.TrajectoryDiffers(_POINT, "python", 0.5, "dotnet", 0.6, 1, 20),
            check.OneSided(_POINT, "python", "dotnet"),
            check.AnotherFile("libc.so.6", ("python", "dotnet")),
            check.NotMapped("libc.so.6", ("dotnet",)),
            check.WheelChanged("numpy", "dotnet", "numpy/core/x.py"),
        ),
    ),
    "exclusion": Group(
        pairing.ExclusionReason,
        exclusion,
        (
            statistics.NoFits(),
            statistics.TimeNotFinite(1, float("nan")),
            statistics.TimeNotPositive(1, 0),
            pairing.SeveralMachines(1),
            pairing.RunFailed("out of memory"),
            pairing.RunEnded(137),
            pairing.PartnerFailed(),
            pairing.NeverRan(),
            pairing.NoPartner(1, "python", "placebo"),
        ),
    ),
    "lack": Group(
        missing.Lack,
        lack,
        (
            missing.Unplannable("no NVIDIA driver is here"),
            missing.NoArm("dotnet", "cuda"),
            missing.NoUsableRun("python", (pairing.NeverRan(),)),
        ),
    ),
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


def test_what_an_arm_did_not_record_is_named_as_its_check_names_it() -> None:
    found = check.NothingRecorded("python")
    names: tuple[check.CheckName, ...] = (
        "tensors",
        "loss trajectory",
        "native libraries",
        "wheels",
    )
    assert [difference(found, name) for name in names] == [
        "nothing recorded by python",
        "python recorded no losses",
        "none recorded by python",
        "none checked in python",
    ]


@pytest.mark.parametrize(("runs", "more"), [(4, False), (5, True)])
def test_a_check_names_four_differences_and_counts_the_rest(runs: int, more: bool) -> None:
    found = tuple(check.OtherFits(f"t{run}", "python", 3, 5) for run in range(runs))
    said = detail(check.Check("fits", check.Fits(5), found))
    assert "t3 (python)" in said and "t4 (python)" not in said
    assert said.endswith("; and 1 more") is more


@pytest.mark.parametrize(
    ("limit", "budget", "said"),
    [
        ("fewest", None, "the fewest that are judged"),
        ("power", None, "for the wanted power"),
        ("blocks", 9, "the most within the budget's 9 blocks"),
        ("minutes", 20, "the most within the budget's 20 minutes"),
    ],
)
def test_every_limit_of_a_number_of_blocks_is_said(limit: Any, budget: Any, said: str) -> None:
    found = PilotResult("duet", 9, "C1", 6.5, 0.8, None, 5.0, 4.0, (), {}, True, limit, budget)
    assert blocks_because(found) == f"duet blocks decide sooner here; 9 blocks, {said}"
    assert blocks_because(replace(found, sooner=False)) == f"9 blocks, {said}"
    with pytest.raises(TypeError):
        blocks_because(replace(found, limit=cast(Any, "a sentence")))


def test_every_disturbance_is_watched_for() -> None:
    assert set(WATCHED) == set(get_args(interference.Disturbance))
    assert len(WATCHED) == len(interference.RULES)
