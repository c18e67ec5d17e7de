"""CPU against GPU: by the same paired statistics, stack by stack."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from support.sessions import make_session, make_study

from kit.judge.comparison import judge
from kit.judge.devices import device_ratios
from kit.judge.looks import critical_t
from kit.plan.model import Looks
from kit.study.model import Arm

STUDY = make_study()
CUDA = {f"{s}-cuda": Arm(f"{s}-cuda", s, "cuda") for s in ("python", "dotnet")}
STUDY = replace(STUDY, arms={**STUDY.arms, **CUDA})


def ratios(times, looks=None):
    session = make_session(times)
    return device_ratios(judge(session, STUDY).runs, session.header.plan.arms, STUDY, looks)


def run(median: float) -> list[float]:
    return [9.0, median, median]


def test_a_stack_s_ratio_is_over_blocks_of_warm_medians() -> None:
    (found,) = ratios(
        {
            "python-cpu": [run(2.0), run(2.2), run(1.8)],
            "python-cuda": [run(0.5), run(0.55), run(0.45)],
        }
    )
    assert (found.stack, found.cpu, found.cuda) == ("python", "python-cpu", "python-cuda")
    assert found.estimate.ratio == pytest.approx(4.0)
    assert found.estimate.pairs == 3
    assert found.estimate.ratio_interval.low == pytest.approx(4.0)


def test_both_stacks_and_blocks_without_a_partner() -> None:
    found = ratios(
        {
            "python-cpu": [run(2.0), run(2.0)],
            "dotnet-cpu": [run(1.0), run(1.0)],
            "python-cuda": [run(1.0), run(1.0)],
            "dotnet-cuda": [run(1.0)],
        }
    )
    assert [(r.stack, r.estimate.pairs) for r in found] == [("python", 2), ("dotnet", 1)]
    assert found[1].estimate.ratio_interval is None


def test_without_both_devices_there_is_nothing_to_compare() -> None:
    assert ratios({"python-cpu": [run(1.0)], "dotnet-cuda": [run(1.0)]}) == ()


def test_with_looks_the_interval_is_the_repeated_one() -> None:
    looks = Looks(most=12, first=6, shape=0.1)
    cpu = [run(2.0 + 0.1 * (n % 3)) for n in range(6)]
    times = {"python-cpu": cpu, "python-cuda": [run(0.5)] * 6}
    (once,), (looked,) = ratios(times), ratios(times, looks)
    assert looked.estimate.ratio == once.estimate.ratio
    error = once.estimate.sd_log / math.sqrt(6)
    half = math.log(looked.estimate.ratio_interval.high / looked.estimate.ratio)
    assert half == pytest.approx(critical_t(looks, 6, 0.05) * error)
    few = {"python-cpu": cpu[:5], "python-cuda": [run(0.5)] * 5}
    assert ratios(few, looks)[0].estimate.ratio_interval is None
