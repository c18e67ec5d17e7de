"""A bounded part of the fuzzer, and the inputs that once ended in a crash."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fuzz.run import Fuzzer
from support.sessions import make_plan, make_study

from kit.errors import InputError
from kit.plan.make import maker_of
from kit.plan.model import DUET
from kit.plan.roles import role_of
from kit.plan.spec import spec_json
from kit.schemas import problems

pytestmark = pytest.mark.slow

TARGETS = (
    "study.yaml", "claims.yaml", "workload.schema.json", "file name", "pins.yaml", "log", "record",
    "bundle",
)  # fmt: skip
COUNT = 12


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory: pytest.TempPathFactory) -> Fuzzer:
    return Fuzzer(tmp_path_factory.mktemp("fuzz"), seed=1)


@pytest.mark.parametrize("target", TARGETS)
def test_every_input_ends_in_a_value_or_an_error_of_the_kit(fuzzer: Fuzzer, target: str) -> None:
    assert set(fuzzer.targets) == set(TARGETS)
    assert [wrong for n in range(COUNT) if (wrong := fuzzer.trial(target, n))] == []


def test_a_plan_of_unknown_arms_is_refused_by_name() -> None:
    plan = make_plan(["python-cpu", "nowhere"], 1, 2)
    with pytest.raises(InputError, match="nowhere"):
        maker_of(make_study(), plan)
    with pytest.raises(InputError, match="nowhere"):
        spec_json(plan.runs[1], make_study())


def test_a_duet_without_halves_is_refused() -> None:
    plan = replace(make_plan(["python-cpu", "dotnet-cpu"], 1, 2), design=DUET)
    with pytest.raises(InputError, match="halves"):
        maker_of(make_study(), plan).block(0, DUET, 0)


@pytest.mark.parametrize("role", ["nothing", "main-reference", "-reference"])
def test_an_unknown_role_is_refused(role: str) -> None:
    with pytest.raises(InputError, match=role):
        role_of(role)


@pytest.mark.parametrize("time", ["2026-01-02T03:04:05", "yesterday"])
def test_a_time_without_a_zone_is_refused(time: str) -> None:
    broken = problems("run", {"started_at": time, "finished_at": ""})
    assert any("started_at" in line for line in broken)
