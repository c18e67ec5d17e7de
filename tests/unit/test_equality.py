"""Claims of equality: how they are written, planned, judged and told."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import asdict, replace
from statistics import NormalDist

import numpy as np
import pytest
import scipy
import yaml
from support.sessions import make_claim, make_equal, make_session, make_study, paired, with_role
from test_judge_pilot import STUDY, pilot
from test_report_effects import outputs

from kit.errors import InputError
from kit.judge.comparison import judge
from kit.judge.equality import margin_of
from kit.judge.pilot import evaluate_pilot, power_target_of, read_pilot_result
from kit.judge.power import blocks_for, blocks_for_equality, sample_sizes
from kit.judge.words import (
    EQUIVALENT,
    INCONCLUSIVE,
    NOT_TESTABLE,
    OPPOSITE,
    REPRODUCED,
    SAME_DIRECTION,
    WORDS,
)
from kit.plan.roles import MIN_SLOWDOWN, slowdown_percent
from kit.report.build import build_report
from kit.report.headline import OPENINGS, found_direction, opening
from kit.report.plots import draw_all
from kit.report.results_json import to_document
from kit.report.sample_size import pilot_lines
from kit.schemas import problems
from kit.study.load import load_study, shipped_folder
from kit.study.model import Direction

FASTER, SLOWER, EQUAL = Direction.FASTER, Direction.SLOWER, Direction.EQUAL


def spread(centre, sd, blocks=6):
    """Ratios around the centre, as a normal sample of that size lies."""
    normal = NormalDist()
    return [centre * math.exp(sd * normal.inv_cdf((n + 0.5) / blocks)) for n in range(blocks)]


def verdicts(ratios, *claims):
    return judge(make_session(paired(ratios)), make_study(claims=claims)).comparisons[0].verdicts


def verdict(centre, sd, claim, blocks=6):
    return verdicts(spread(centre, sd, blocks), claim)[0]


def loaded(tmp_path, **fields):
    folder = shutil.copytree(shipped_folder(), tmp_path / "study")
    path = folder / "claims.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    claim = document["claims"][0]
    del claim["gain_percent"], claim["band_percent"]
    claim.update(fields)
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return load_study(folder).claims[0]


def test_a_claim_of_equality_is_read(tmp_path):
    claim = loaded(tmp_path, equal_within_percent=5)
    assert (claim.direction, claim.equal_within_percent) == (EQUAL, 5.0)
    assert claim == replace(
        make_equal(5.0), statement=claim.statement, where=claim.where, needs=claim.needs
    )
    assert make_claim().equal_within_percent is None


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"equal_within_percent": 0}, "equal_within_percent"),
        ({"equal_within_percent": -5}, "equal_within_percent"),
        ({"equal_within_percent": 100}, "equal_within_percent"),
        ({"equal_within_percent": math.nan}, "claims.yaml"),
        ({"equal_within_percent": "5 %"}, "equal_within_percent"),
        ({"equal_within_percent": 5, "gain_percent": 5}, "gain_percent: not allowed here"),
        ({"equal_within_percent": 5, "band_percent": [1, 2]}, "band_percent: not allowed here"),
        ({}, "gain_percent"),
        ({"gain_percent": 5}, "band_percent"),
        ({"gain_percent": 0, "band_percent": [-5, 5]}, "gain_percent: 0"),
        ({"gain_percent": -0.0, "band_percent": [-5, 5]}, "gain_percent: 0"),
    ],
)
def test_a_claim_that_is_neither_or_both_is_refused(tmp_path, fields, named):
    with pytest.raises(InputError) as caught:
        loaded(tmp_path, **fields)
    assert named in caught.value.problem
    assert caught.value.exit_code == 2
    if "0 claims" in caught.value.problem:
        assert "equal_within_percent" in caught.value.remedy


@pytest.mark.parametrize("margin", [0.01, 2.0, 5.0, 50.0, 99.0])
def test_a_margin_is_the_same_for_either_arm(margin):
    low, high = margin_of(make_equal(margin))
    assert low == pytest.approx(-math.log1p(margin / 100))
    assert high == pytest.approx(-low)


@pytest.mark.parametrize(
    ("centre", "sd", "margin", "word"),
    [
        (1.0, 0.01, 5.0, REPRODUCED),
        (1.001, 0.01, 5.0, REPRODUCED),
        (1.033, 0.003, 10.0, REPRODUCED),
        (1.033, 0.003, 5.0, REPRODUCED),
        (1.033, 0.003, 2.0, OPPOSITE),
        (1 / 1.033, 0.003, 2.0, OPPOSITE),
        (1.0, 0.2, 5.0, INCONCLUSIVE),
        (1.033, 0.05, 5.0, INCONCLUSIVE),
        (1.07, 0.05, 5.0, INCONCLUSIVE),
        (1.05, 0.001, 5.0, INCONCLUSIVE),
        (6.7, 0.1, 5.0, OPPOSITE),
    ],
)
def test_the_word_follows_from_the_margin(centre, sd, margin, word):
    assert verdict(centre, sd, make_equal(margin)).word == word
    assert verdict(1 / centre, sd, make_equal(margin)).word == word  # arms swapped


def test_the_p_value_is_of_two_one_sided_tests_or_against_the_nearest_end():
    end = math.log1p(0.05)
    ratios = spread(1.02, 0.02)
    inside = verdicts(ratios, make_equal(5.0))[0]
    logs = np.log(ratios)
    one = scipy.stats.ttest_1samp(logs, end, alternative="less").pvalue
    assert inside.holm_p == pytest.approx(one, rel=1e-6)
    assert inside.tests.equivalence == pytest.approx(one, rel=1e-6)
    ratios = spread(1.08, 0.02)
    beyond = verdicts(ratios, make_equal(5.0))[0]
    assert beyond.holm_p == pytest.approx(
        scipy.stats.ttest_1samp(np.log(ratios), end).pvalue, rel=1e-6
    )


def test_it_is_one_of_the_claims_that_holms_adjustment_counts():
    ratios = spread(1.0, 0.045)
    alone = verdicts(ratios, make_equal(5.0))
    assert 0.01 < alone[0].holm_p < 0.05 and alone[0].word == REPRODUCED
    claims = [make_equal(5.0, f"C{n}", name) for n, name in enumerate(("mean", "total"), 1)]
    several = verdicts(ratios, *claims, make_claim("C3"))
    assert several[0].holm_p == pytest.approx(3 * alone[0].holm_p)
    assert several[0].word == INCONCLUSIVE and several[0].blocks_to_decide > 6


def test_other_claims_are_judged_as_without_it():
    ratios = spread(1.069, 0.01)
    mixed = verdicts(ratios, make_claim(), make_equal(5.0, "C2"))
    assert mixed[0].word == verdicts(ratios, make_claim())[0].word == REPRODUCED
    assert mixed[1].word == OPPOSITE


def test_a_failing_control_caps_it():
    session = with_role(make_session(paired(spread(1.0, 0.01))), "placebo", spread(1.2, 0.01))
    word = judge(session, make_study(claims=(make_equal(),))).comparisons[0].verdicts[0].word
    assert word == INCONCLUSIVE


@pytest.mark.parametrize(
    ("margin", "slowed"), [(1.0, MIN_SLOWDOWN), (5.0, 5.0), (30.0, 30.0), (99.0, 99.0)]
)
def test_the_positive_control_is_slowed_by_the_margin(margin, slowed):
    assert slowdown_percent(make_study(claims=(make_equal(margin),))) == slowed


def test_the_aim_is_to_put_equal_arms_inside_the_margin():
    study = make_study(claims=(make_equal(5.0), make_claim("C2", "total")))
    aim = power_target_of(study.claims[0], study, ("main", "slowed"))
    assert (aim.gain, aim.claims) == (0.0, 2)
    assert aim.slowed == pytest.approx(math.log1p(0.05))
    found = sample_sizes(0.03, 0.03, aim)
    assert all(need.direction is None for need in found)
    assert all(need.blocks >= max(need.size, need.slowed) for need in found)
    assert found[0].size == blocks_for_equality(0.03, margin_of(study.claims[0]), 0.8, 0.025)
    assert found[0].blocks < found[1].blocks


def test_a_pilot_plans_for_equality():
    study = replace(STUDY, claims=(make_equal(5.0), make_claim("C2", "min", 85.0, (75.0, 91.7))))
    found = evaluate_pilot(pilot(0.02), study)
    (design,) = found.designs
    aim = power_target_of(study.claims[0], study, ("main", "placebo", "slowed"))
    assert found.blocks == blocks_for(design.planning_sd, design.control_sd, aim, 0.8) > 6
    assert (found.wanted_gain_percent, found.slowdown_percent) == (0.0, 5.0)
    assert "C1" not in found.undecided
    assert read_pilot_result(json.loads(json.dumps(asdict(found)))) == found
    first, fixed, *_ = pilot_lines(found)
    assert "equality" in first and "direction" not in first
    assert f"{found.blocks} alternating blocks" in fixed
    noisy = evaluate_pilot(pilot(0.3), study)
    assert noisy.blocks == STUDY.protocol.tiers["standard"].blocks and "C1" in noisy.undecided


TOLD = [
    # what is claimed, blocks (centre, SD), word, how the sentence begins
    (make_claim(), (1.069, 0.01), REPRODUCED, "Holds"),
    (make_claim(), (1.5, 0.01), SAME_DIRECTION, "Holds in direction"),
    (make_claim(), (0.9, 0.01), OPPOSITE, "Does not hold, the opposite was measured"),
    (make_claim(), (1.0, 0.005), EQUIVALENT, "Does not hold, both are equally fast"),
    (make_claim(), (1.0, 0.2), INCONCLUSIVE, "Inconclusive"),
    (make_claim(gain=-8.0, band=(-12.0, -4.0)), (0.926, 0.01), REPRODUCED, "Holds"),
    (make_claim(gain=-8.0, band=(-12.0, -4.0)), (0.6, 0.01), SAME_DIRECTION, "Holds in direction"),
    (make_claim(gain=-8.0, band=(-12.0, -4.0)), (1.1, 0.01), OPPOSITE,
     "Does not hold, the opposite was measured"),
    (make_claim(gain=-8.0, band=(-12.0, -4.0)), (1.0, 0.005), EQUIVALENT,
     "Does not hold, both are equally fast"),
    (make_claim(gain=-8.0, band=(-12.0, -4.0)), (1.0, 0.2), INCONCLUSIVE, "Inconclusive"),
    (make_equal(), (1.0, 0.01), REPRODUCED, "Holds, both are equally fast"),
    (make_equal(), (1.2, 0.01), OPPOSITE, "Does not hold, dotnet is faster"),
    (make_equal(), (0.8, 0.01), OPPOSITE, "Does not hold, dotnet is slower"),
    (make_equal(), (1.0, 0.2), INCONCLUSIVE, "Inconclusive"),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "measured", "word", "begins"), TOLD)
def test_each_claim_and_outcome_has_its_sentence(claim, measured, word, begins):
    model = build_report(make_session(paired(spread(*measured))), make_study(claims=(claim,)))
    assert model.lead.word == word
    assert model.headline.startswith(begins)
    assert opening(model.lead, "dotnet") in model.headline
    assert OPENINGS[claim.direction, word, found_direction(model.lead)]


def test_the_table_has_every_outcome_that_a_claim_can_have():
    told = {(claim.direction, word) for claim, _, word, _ in TOLD}
    told |= {(direction, NOT_TESTABLE) for direction in Direction}
    assert {(claimed, word) for claimed, word, _ in OPENINGS} == told
    never = {(EQUAL, SAME_DIRECTION), (EQUAL, EQUIVALENT)}
    assert told | never == {(direction, word) for direction in Direction for word in WORDS}
    for claimed, word, measured in OPENINGS:
        assert ("Does not hold" in OPENINGS[claimed, word, measured]) == (
            measured is not None and measured != claimed
        )


@pytest.mark.parametrize("centre", [1.0, 6.7])
def test_every_output_tells_of_equality_and_of_no_gain(centre):
    study = make_study(claims=(make_equal(5.0), make_claim("C2", "min")))
    session = with_role(
        make_session(paired(spread(centre, 0.01))), "placebo", spread(1.0, 0.01)[::-1]
    )
    session = replace(
        session,
        entries=tuple(replace(e, machine="ab"[e.block % 2]) for e in session.entries),
    )
    model = build_report(session, study)
    got = outputs(session, study, draw_all(model))
    for name in ("report.md", "report.html", "terminal", "appendix.md", "summary.md", "plots"):
        assert "equal within 5" in " ".join(got[name].replace("\\", "").split()), name
    for name, text in got.items():
        assert "published +0.0 %" not in text and "paper +0.0 %" not in text, name
    document = to_document(model)
    assert problems("results", document) == []
    first, second = document["variants"][0]["verdicts"]
    assert (first["equal_within_percent"], second["equal_within_percent"]) == (5.0, None)
    rows = {row["statistic"]: row for row in document["variants"][0]["published"]}
    assert (rows["mean"]["text_gain_percent"], rows["min"]["text_gain_percent"]) == (None, 6.5)
