"""Making plans: budgets, order, seeds, and what memory allows."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sessions import DOTNET, PYTHON, make_study

from kit.errors import HostError, InputError
from kit.plan.budget import BY_PILOT, FIRST_LOOK, FIXED, FUTILITY, SHAPE
from kit.plan.make import expected_seconds, make_plan, plan_sha256
from kit.plan.model import (
    FEWER_REPEATS,
    NO_PILOT,
    Bounds,
    Looks,
    Note,
    Plan,
    Stopping,
    plan_document,
    plan_from,
)
from kit.plan.resources import Resources
from kit.study.model import Arm, MemoryNeed, Study, Tier

PLENTY = Resources("0-1", 10**12)
BASE = make_study()
TIERS = {"quick": Tier("quick", 3, 5), "full": Tier("full", 12, 20)}
STUDY = replace(BASE, protocol=replace(BASE.protocol, tiers=TIERS))


def plan(budget: str = "quick", seed: int = 1, arms: tuple[str, ...] = ()) -> Plan:
    return make_plan(STUDY, budget, arms, seed, PLENTY)


def order(made: Plan) -> list[tuple[str, ...]]:
    return [tuple(r.arm for r in made.runs if r.block == b) for b in range(made.blocks)]


def with_arms(count: int) -> Study:
    # Stacks of their own: two arms of one are refused.
    stacks = ("python", "dotnet", *(f"stack{i}" for i in range(count)))[:count]
    return replace(STUDY, arms={f"arm{i}": Arm(f"arm{i}", s, "cpu") for i, s in enumerate(stacks)})


def test_a_tier_gives_its_blocks_and_repeats() -> None:
    for name, tier in TIERS.items():
        made = plan(name)
        assert (made.tier, made.blocks, made.repeats) == (name, tier.blocks, tier.repeats)
        timed = [run for run in made.runs if run.kind == "timed"]
        assert len(timed) == 2 * tier.blocks
        assert {run.repeats for run in timed} == {tier.repeats}


def test_identity_runs_come_first_and_are_seeded_alike() -> None:
    made = plan()
    first = made.runs[:2]
    assert [(r.kind, r.block, r.arm) for r in first] == [
        ("identity", -1, PYTHON),
        ("identity", -1, DOTNET),
    ]
    assert {r.seed for r in first} == {STUDY.protocol.identity_seed}
    assert all(r.kind == "timed" and r.seed is None for r in made.runs[2:])


def test_limits_and_study_are_in_the_plan() -> None:
    made = make_plan(STUDY, "quick", (), 7, Resources("0-3", 64 * 10**9))
    assert (made.limits.cpuset, made.limits.memory_bytes) == ("0-3", 64 * 10**9)
    assert made.limits.timeout_s == STUDY.protocol.run_timeout_s
    assert (made.study_id, made.study_sha256, made.seed) == (STUDY.id, STUDY.sha256, 7)
    assert made.notes == ()


def test_no_arms_named_means_all_in_the_studys_order() -> None:
    assert plan().arms == (PYTHON, DOTNET)
    assert plan(arms=(DOTNET,)).arms == (DOTNET,)
    assert {run.arm for run in plan(arms=(DOTNET,)).runs} == {DOTNET}


@pytest.mark.parametrize("name", ["python-tpu", "", "PYTHON-CPU"])
def test_an_unknown_arm_is_named_with_the_known(name: str) -> None:
    with pytest.raises(InputError) as caught:
        plan(arms=(PYTHON, name))
    assert f"{name!r}" in caught.value.problem and "--arms" in caught.value.problem
    assert PYTHON in caught.value.remedy and DOTNET in caught.value.remedy


def test_an_arm_named_twice_is_refused() -> None:
    with pytest.raises(InputError, match="named twice"):
        plan(arms=(PYTHON, PYTHON))


@pytest.mark.parametrize("budget", ["", "fast", "20", "m", "-5m", "1.5m", "20 m", "20min", "20s"])
def test_an_unknown_budget_is_named_with_the_known(budget: str) -> None:
    with pytest.raises(InputError) as caught:
        plan(budget)
    assert f"{budget!r}" in caught.value.problem
    assert "quick, full" in caught.value.remedy and "20m" in caught.value.remedy


def test_minutes_buy_blocks_of_the_smallest_tiers_repeats() -> None:
    # Cost 8 s + 3 s a fit: 23 s a run of 5 fits, 46 s a block; identity runs 22 s.
    made = plan("20m")
    assert (made.tier, made.pilot, made.repeats) == ("20m", 0, 5)
    assert made.blocks == (1200 - 22) // 46
    assert made.stopping == Stopping(FIRST_LOOK, SHAPE, FUTILITY, "size", 20)
    assert plan("4m").blocks == (240 - 22) // 46
    assert plan("4m").stopping is None  # fewer blocks than the first look has


def test_minutes_end_a_session_with_the_fewest_controls_too() -> None:
    tiers = {"quick": TIERS["quick"], "full": Tier("full", 12, 20, ("placebo", "slowed"))}
    study = replace(BASE, protocol=replace(BASE.protocol, tiers=tiers))
    made = make_plan(study, "9m", (), 7, PLENTY)
    # A block of all controls takes 93 s, so five would fit; without controls it takes 46 s.
    assert (made.blocks, made.roles) == ((540 - 22) // 46, ("main",))
    assert made.stopping == Stopping(FIRST_LOOK, SHAPE, FUTILITY, "size", 9)


def test_a_pilot_leaves_the_rest_of_the_minutes_to_its_result() -> None:
    made = make_plan(STUDY, "20m", (), 7, PLENTY, sizing=BY_PILOT)
    assert (made.blocks, made.pilot, made.stopping) == (0, 5, None)
    assert made.bounds == Bounds((1200 - 22 - 5 * 46) // 46, 0.8, 20)


def test_the_rule_that_ends_a_session_is_part_of_its_plan() -> None:
    made = plan("full")
    assert made.stopping == Stopping(FIRST_LOOK, SHAPE, FUTILITY, "size", None)
    assert made.looks == Looks(made.blocks, FIRST_LOOK, SHAPE)
    other = make_plan(STUDY, "full", (), 7, PLENTY, until="direction")
    assert other.runs == plan("full", 7).runs
    assert plan_sha256(other) != plan_sha256(plan("full", 7))
    assert plan_from(plan_document(made)) == made


@pytest.mark.parametrize("changes", [{"blocks": 25}, {"sizing": FIXED}])
def test_a_fixed_number_of_blocks_is_looked_at_once(changes) -> None:
    made = make_plan(STUDY, "full", (), 7, PLENTY, **changes)
    assert (made.stopping, made.looks, made.pilot) == (None, None, 0)
    assert "stopping" not in plan_document(made)


def test_one_arm_and_a_study_without_claims_have_nothing_to_look_at() -> None:
    assert plan("full", arms=(PYTHON,)).stopping is None
    assert make_plan(replace(STUDY, claims=()), "full", (), 7, PLENTY).stopping is None


@given(st.integers(2, 150), st.integers(1, 4))
def test_minutes_are_filled_and_not_exceeded(minutes: int, arms: int) -> None:
    study = with_arms(arms)
    try:
        made = make_plan(study, f"{minutes}m", (), 1, PLENTY)
    except InputError as error:
        least = re.search(r"(\d+)m", error.remedy)
        assert least and int(least[1]) > minutes
        enough = make_plan(study, f"{least[1]}m", (), 1, PLENTY)
        assert enough.blocks == 2
        return
    expected = sum(expected_seconds(study, made.runs))
    block = sum(expected_seconds(study, [run for run in made.runs if run.block == 0]))
    assert made.blocks >= 2
    assert expected <= minutes * 60 < expected + block


def test_too_few_minutes_say_how_many_are_needed() -> None:
    with pytest.raises(InputError, match="do not hold two blocks") as caught:
        plan("1m")
    assert "2m" in caught.value.remedy  # 22 s + 2 blocks of 46 s


def test_same_seed_same_plan_other_seed_other_order() -> None:
    assert plan("full", 5) == plan("full", 5)
    assert plan_sha256(plan("full", 5)) == plan_sha256(plan("full", 5))
    orders = {tuple(order(plan("full", seed))) for seed in range(20)}
    assert len(orders) >= 19


def test_the_order_of_a_seed_does_not_change_with_releases() -> None:
    assert order(plan("quick", 1)) == [(PYTHON, DOTNET), (PYTHON, DOTNET), (DOTNET, PYTHON)]


def test_the_order_is_not_always_the_same_arm_first() -> None:
    first = Counter(block[0] for seed in range(50) for block in order(plan("full", seed)))
    assert 240 < first[PYTHON] < 360  # 600 blocks, an even coin


@given(st.integers(0, 2**63), st.integers(1, 5), st.integers(1, 12))
def test_every_block_holds_each_arm_once(seed: int, arms: int, blocks: int) -> None:
    tiers = {"t": Tier("t", blocks, 4)}
    study = with_arms(arms)
    study = replace(study, protocol=replace(study.protocol, tiers=tiers))
    made = make_plan(study, "t", (), seed, PLENTY)
    assert len(made.runs) == arms * (blocks + 1)
    assert len({run.run_id for run in made.runs}) == len(made.runs)
    for block in range(-1, blocks):
        runs = [run for run in made.runs if run.block == block]
        assert sorted(run.arm for run in runs) == sorted(study.arms)
        assert [run.position for run in runs] == list(range(arms))
    assert [run.block for run in made.runs] == sorted(run.block for run in made.runs)


def need(base: int, per_repeat: int) -> Study:
    protocol = replace(STUDY.protocol, memory=MemoryNeed(base, per_repeat), minimum_repeats=3)
    return replace(STUDY, protocol=protocol)


def test_memory_just_enough_cuts_nothing() -> None:
    made = make_plan(need(10**9, 10**8), "quick", (), 1, Resources("0", 1_500_000_000))
    assert (made.repeats, made.notes) == (5, ())


def test_a_byte_too_little_cuts_repeats_and_says_so() -> None:
    made = make_plan(need(10**9, 10**8), "quick", (), 1, Resources("0", 1_499_999_999))
    assert made.repeats == 4
    assert {run.repeats for run in made.runs if run.kind == "timed"} == {4}
    assert made.notes == (Note(FEWER_REPEATS, 5, 1_500_000_000, 1_499_999_999),)


def test_below_the_fewest_repeats_is_refused_with_numbers() -> None:
    at_least = Resources("0", 1_300_000_000)
    assert make_plan(need(10**9, 10**8), "quick", (), 1, at_least).repeats == 3
    with pytest.raises(HostError) as caught:
        make_plan(need(10**9, 10**8), "quick", (), 1, replace(at_least, memory_bytes=1_200_000_000))
    assert "1.3 GB are needed for 3 repeats" in caught.value.problem
    assert "1.2 GB are available" in caught.value.problem
    assert "--memory" in caught.value.remedy


def test_a_run_whose_need_does_not_grow_is_all_or_nothing() -> None:
    made = make_plan(need(10**9, 0), "full", (), 1, Resources("0", 10**9))
    assert made.repeats == 20
    with pytest.raises(HostError):
        make_plan(need(10**9, 0), "full", (), 1, Resources("0", 10**9 - 1))


@given(st.integers(0, 30 * 10**9))
def test_a_plan_never_needs_more_memory_than_there_is(available: int) -> None:
    study = need(2_500_000_000, 800_000_000)
    try:
        made = make_plan(study, "full", (), 1, Resources("0", available))
    except HostError:
        assert available < study.protocol.memory.of(3)
        return
    assert study.protocol.memory.of(made.repeats) <= available
    assert bool(made.notes) == (made.repeats < 20)


def test_the_hash_tells_every_change_but_of_words() -> None:
    made = plan()
    limits = replace(made.limits, cpuset="0")
    others = [
        replace(made, limits=limits),
        replace(made, seed=2),
        replace(made, runs=(*made.runs[1:], made.runs[0])),
    ]
    assert len({plan_sha256(other) for other in (made, *others)}) == 4
    assert plan_sha256(replace(made, notes=(Note(NO_PILOT),))) == plan_sha256(made)


def test_expected_seconds_count_every_run() -> None:
    assert expected_seconds(STUDY, plan().runs) == (*2 * (8 + 3,), *6 * (8 + 5 * 3,))


def test_two_arms_of_one_stack_and_variant_make_no_plan() -> None:
    twin = replace(STUDY, arms={**STUDY.arms, "mono-cpu": Arm("mono-cpu", "dotnet", "cpu")})
    with pytest.raises(InputError, match="dotnet-cpu and mono-cpu are both stack dotnet"):
        make_plan(twin, "quick", (), 1, PLENTY)
    assert make_plan(twin, "quick", (PYTHON, "mono-cpu"), 1, PLENTY).arms == (PYTHON, "mono-cpu")


def test_an_arm_whose_name_makes_anothers_run_id_makes_no_plan() -> None:
    """`a` as placebo and `a-placebo` as published would both be block000-a-placebo."""
    arms = {"a": Arm("a", "python", "cpu"), "a-placebo": Arm("a-placebo", "dotnet", "cpu")}
    tiers = {"t": Tier("t", 2, 4, controls=("placebo",))}
    study = replace(STUDY, arms=arms, protocol=replace(STUDY.protocol, tiers=tiers))
    with pytest.raises(InputError, match="block000-a-placebo"):
        make_plan(study, "t", (), 1, PLENTY)
