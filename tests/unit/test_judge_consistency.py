"""Consistency claims: every rule both ways, and the shipped paper's nine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kit.errors import InputError
from kit.judge.consistency import RULES, Gains, NotRounded, Ticks, consistency_results
from kit.judge.words import CONSISTENT, INCONSISTENT
from kit.schemas import problems, schema
from kit.study.load import shipped_study
from kit.study.model import ConsistencyClaim

STUDY = shipped_study()


def word(rule, facts, **paper):
    claim = ConsistencyClaim("K1", "statement", "where", rule, facts)
    study = replace(STUDY, consistency=(claim,), paper=replace(STUDY.paper, **paper))
    (found,) = consistency_results(study)
    return found.word


def test_the_shipped_paper_is_judged_as_its_own_numbers_say():
    words = {found.claim.id: found.word for found in consistency_results(STUDY)}
    assert words == {
        **dict.fromkeys(("K1", "K2", "K4", "K5", "K6", "K7", "K8", "K9"), INCONSISTENT),
        "K3": CONSISTENT,
    }


def test_the_reason_holds_the_arithmetic():
    reasons = {found.claim.id: found.reason for found in consistency_results(STUDY)}
    by_figures = 100 * (1.8861079216 - 1.7851021) / 1.8861079216
    assert isinstance(reasons["K1"], NotRounded)
    assert reasons["K1"].figures_gain_percent == pytest.approx(by_figures)
    assert isinstance(reasons["K2"], Gains)
    assert reasons["K2"].figures == pytest.approx({"mean": 6.36, "total": 6.36}, abs=0.005)
    assert isinstance(reasons["K6"], Ticks) and reasons["K6"].factor == 10


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ({"python": "1.89", "dotnet": "1.79"}, CONSISTENT),  # rounded
        ({"python": "1.88", "dotnet": "1.78"}, CONSISTENT),  # cut
        ({"python": "1.90", "dotnet": "1.78"}, INCONSISTENT),
        ({"python": "2"}, CONSISTENT),
    ],
)
def test_a_text_may_round_or_cut(text, expected):
    facts = {"statistic": "min", "text": text, "text_gain_percent": 4.3}
    assert word("rounds", facts) == expected


def test_one_gain_allows_what_one_decimal_hides():
    assert word("one_gain", {"text_gain_percent": {"mean": 6.4, "total": 6.4}}) == CONSISTENT
    assert word("one_gain", {"text_gain_percent": {"mean": 6.4, "total": 6.5}}) == INCONSISTENT


def test_a_mean_that_is_not_its_total_over_the_repeats_is_found():
    row = STUDY.paper.figures["python"]
    assert word("mean_times_repeats", {}) == CONSISTENT
    off = {"python": replace(row, total=row.total + 0.01)}
    assert word("mean_times_repeats", {}, figures=off) == INCONSISTENT


def test_what_is_said_alike_everywhere_is_consistent():
    assert word("same_value", {"stated": {"a": 20, "b": 20}}) == CONSISTENT
    assert word("same_value", {"stated": {"a": 20, "b": 100}}) == INCONSISTENT


def test_the_right_tick_divisor_passes_and_too_many_decimals_do_not():
    facts = {"ticks_per_second": 10**7, "divisor": 10**7, "printed": ["1.7851021"]}
    assert word("tick_unit", facts) == CONSISTENT
    assert word("tick_unit", {**facts, "printed": ["1.78510212"]}) == INCONSISTENT


def test_a_function_that_exists_passes():
    facts = {"called": "A.Load", "library": "L", "provided": ["A.Load"]}
    assert word("name_exists", facts) == CONSISTENT


@pytest.mark.parametrize(
    ("python", "dotnet", "expected"),
    [
        ([44, 49], [37, 42], CONSISTENT),  # slower steps, slower total: as in the figures
        ([37, 45], [44, 49], CONSISTENT),  # they overlap: nothing follows
        ([37, 42], [44, 49], INCONSISTENT),
    ],
)
def test_step_times_and_totals_must_not_contradict(python, dotnet, expected):
    assert word("step_order", {"ms_per_step": {"python": python, "dotnet": dotnet}}) == expected


def test_a_figure_that_the_study_lacks_is_named():
    facts = {"statistic": "min", "text": {"python": "1"}, "text_gain_percent": 1}
    with pytest.raises(InputError, match=r"paper\.figures"):
        word("rounds", facts, figures={})


def test_every_rule_is_in_the_schema_and_every_one_of_the_schema_exists():
    items = schema("claims")["properties"]["consistency"]["items"]
    assert sorted(items["properties"]["rule"]["enum"]) == sorted(RULES)


def test_facts_that_a_rule_does_not_know_are_refused():
    claim = {"id": "K1", "where": "w", "statement": "s", "rule": "same_value"}
    good = {
        "schema": 1,
        "claims": [],
        "executable": [],
        "training": [],
        "consistency": [{**claim, "facts": {"stated": {"a": 1, "b": 2}}}],
    }
    assert problems("claims", good) == []
    good["consistency"][0]["facts"] = {"stated": {"a": 1}}
    assert problems("claims", good)
    good["consistency"][0]["facts"] = {"called": "x", "library": "y", "provided": ["z"]}
    assert problems("claims", good)
