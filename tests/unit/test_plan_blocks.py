"""Blocks: controls in them, pairs side by side, and plans that grow."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from support.sessions import DOTNET, PYTHON

from kit.errors import HostError, InputError
from kit.plan.budget import BY_PILOT
from kit.plan.make import extended_plan, make_plan, plan_sha256
from kit.plan.model import ALTERNATING, AUTO, DUET, DUET_CORES, Note, plan_document, plan_from
from kit.plan.resources import Resources, halves, memory_of_a_run
from kit.study.load import shipped_study

STUDY = shipped_study()
PLENTY = Resources("0-3", 64 * 10**9, ("0-1", "2-3"))


def plan(budget="standard", design=ALTERNATING, seed=7, have=PLENTY, **more):
    return make_plan(STUDY, budget, (), seed, have, design=design, **more)


def of_block(made, number):
    return [run for run in made.runs if run.block == number]


def test_quick_holds_the_placebo_and_standard_the_positive_control_too():
    assert Counter((r.arm, r.role) for r in of_block(plan("quick"), 0)) == {
        (PYTHON, "main"): 1,
        (DOTNET, "main"): 1,
        (PYTHON, "placebo"): 1,
    }
    made = extended_plan(STUDY, plan(sizing=BY_PILOT), ALTERNATING, 6)
    assert [r.role for r in of_block(made, 0)] == ["pilot", "pilot"]
    assert sorted(r.role for r in of_block(made, 5)) == ["main", "main", "placebo", "slowed"]
    assert {r.pair for r in made.runs} == {None}


def test_control_runs_stand_anywhere_in_their_blocks():
    places = {r.position for s in range(30) for r in plan("quick", seed=s).runs if r.role != "main"}
    assert places == {0, 1, 2}


def test_a_single_arm_has_no_controls():
    made = make_plan(STUDY, "standard", (PYTHON,), 1, PLENTY)
    assert {run.role for run in made.runs} == {"main"}
    assert (made.blocks, made.pilot) == (5, 0)


def test_a_duet_block_runs_pairs_on_disjoint_halves():
    made = plan(design=DUET, blocks=5)
    for block in range(made.blocks):
        runs = of_block(made, block)
        assert [run.position for run in runs] == list(range(6))
        pairs = {n: [r for r in runs if r.pair == n] for n in (0, 1, 2)}
        assert {(r.arm, r.role) for r in pairs[0]} == {(PYTHON, "main"), (DOTNET, "main")}
        assert {r.role for r in pairs[1]} == {"placebo-reference", "placebo"}
        assert {r.role for r in pairs[2]} == {"slowed-reference", "slowed"}
        for pair in pairs.values():
            assert {r.cpuset for r in pair} == {"0-1", "2-3"}
            assert abs(pair[0].position - pair[1].position) == 1


def test_the_halves_are_swapped_from_block_to_block():
    made = plan(design=DUET, blocks=5)
    for role in ("main", "placebo", "slowed"):
        first = [
            next(r.cpuset for r in of_block(made, b) if (r.arm, r.role) == (PYTHON, role))
            for b in range(made.blocks)
        ]
        assert all(a != b for a, b in pairwise(first))


def test_auto_pilots_both_designs_in_turn():
    made = plan(design=AUTO)
    designs = [of_block(made, number)[0].design for number in range(10)]
    assert designs == [ALTERNATING, DUET] * 5
    duets = [n for n in range(10) if designs[n] == DUET]
    sides = [next(r.cpuset for r in of_block(made, n) if r.arm == DOTNET) for n in duets]
    assert sides[0] != sides[1]


@pytest.mark.parametrize("design", [ALTERNATING, DUET])
def test_a_grown_plan_begins_as_it_was(design):
    made = plan(design=AUTO)
    more = extended_plan(STUDY, made, design, 9)
    assert more.runs[: len(made.runs)] == made.runs
    assert (more.design, more.blocks) == (design, 9)
    numbers = {run.block for run in more.runs if run.block >= 10}
    assert numbers == set(range(10, 19))
    assert {run.design for run in more.runs if run.block >= 10} == {design}
    assert len({run.run_id for run in more.runs}) == len(more.runs)
    assert plan_sha256(more) != plan_sha256(made)
    assert extended_plan(STUDY, made, design, 9) == more


def test_a_plan_survives_its_document():
    for made in (plan(design=AUTO), plan("quick"), plan("30m", DUET)):
        assert plan_from(plan_document(made)) == made
        import json

        assert plan_from(json.loads(json.dumps(plan_document(made)))) == made


def test_a_number_of_blocks_has_no_pilot():
    made = plan("standard", blocks=4)
    assert (made.blocks, made.pilot, made.bounds) == (4, 0, None)


def test_duet_is_refused_where_the_machine_does_not_allow_it():
    one = Resources("0", 64 * 10**9, None)
    with pytest.raises(HostError, match="two equal sets of cores"):
        plan(design=DUET, have=one)
    small = Resources("0-1", 6 * 10**9, ("0", "1"))
    with pytest.raises(HostError, match="two runs at a time need"):
        plan(design=DUET, have=small)
    with pytest.raises(HostError, match="share one GPU"):
        make_plan(STUDY, "standard", (), 1, PLENTY, True, design=DUET)
    with pytest.raises(InputError, match="both stacks"):
        make_plan(STUDY, "standard", (PYTHON,), 1, PLENTY, design=DUET)


def test_auto_falls_back_and_says_why():
    made = plan(design=AUTO, have=Resources("0", 64 * 10**9, None))
    assert made.design == ALTERNATING
    assert made.notes[0] == Note(DUET_CORES)
    assert plan("quick", design=AUTO).design == ALTERNATING


def test_the_runs_of_a_duet_share_the_memory():
    assert memory_of_a_run(PLENTY, DUET) == 32 * 10**9
    assert plan(design=DUET).limits.memory_bytes == 32 * 10**9
    assert plan().limits.memory_bytes == 64 * 10**9


@pytest.mark.parametrize(
    "cores, cpus, wanted",
    [
        ([(0,), (1,)], 2, ("0", "1")),
        ([(0, 2), (1, 3)], 4, ("0,2", "1,3")),
        ([(0, 1), (2, 3), (4, 5), (6, 7)], 8, ("0-3", "4-7")),
        ([(0,), (1,), (2,)], 3, ("0", "1")),
        ([(0, 1)], 2, None),
        ([(0, 2), (1, 3)], 2, None),
        ([(0,)], 1, None),
        ([(0, 1), (2,), (3,)], 4, None),
    ],
)
def test_halves_keep_the_threads_of_a_core_together(cores, cpus, wanted):
    assert halves(cores, cpus) == wanted
