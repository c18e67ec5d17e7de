"""Last-epoch loss and accuracy against the paper's ranges."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from support.sessions import (
    DOTNET,
    PYTHON,
    change_record,
    make_fidelity,
    make_fits,
    make_session,
    make_study,
    paired,
    with_role,
)

from kit.judge.comparison import judge
from kit.judge.reasons import EqualInRange, MeansDiffer
from kit.judge.training import trained
from kit.judge.words import INCONCLUSIVE, NOT_TESTABLE, OPPOSITE, REPRODUCED, SAME_DIRECTION
from kit.study.load import shipped_study
from kit.study.model import TrainingClaim

GOOD = make_session(paired([1.05, 1.06], fits=3))


def row(session, arm=DOTNET, quantity="loss"):
    return next(r for r in trained(session, make_study()) if (r.arm, r.quantity) == (arm, quantity))


def ends_at(*losses):
    session = GOOD
    for block in (0, 1):
        fits = tuple(f for x in losses for f in make_fits([1.8], losses=(1.0, x)))
        session = change_record(session, f"t{block}-{DOTNET}", fits=fits)
    return session


def test_every_arm_has_a_loss_and_an_accuracy_over_all_its_timed_fits():
    rows = trained(GOOD, make_study())
    assert [(r.arm, r.quantity, r.fits) for r in rows] == [
        (PYTHON, "loss", 6), (PYTHON, "accuracy", 6), (DOTNET, "loss", 6), (DOTNET, "accuracy", 6),
    ]  # fmt: skip
    assert rows[0].low == 0.68
    assert rows[0].high == 0.6802
    assert rows[0].mean == pytest.approx(0.6801)


@pytest.mark.parametrize(
    "losses, word, inside",
    [((0.67, 0.68), "inside", 4), ((0.67, 0.71), "overlapping", 2), ((0.70, 0.71), "outside", 0)],
)
def test_the_word_says_how_the_fits_lie_to_the_papers_range(losses, word, inside):
    got = row(ends_at(*losses))
    assert (got.word, got.inside) == (word, inside)


def test_a_loss_that_is_not_finite_is_counted_not_averaged():
    got = row(ends_at(0.67, float("nan")))
    assert (got.fits, got.left_out, got.mean) == (4, 2, 0.67)


def test_without_any_run_nothing_is_known():
    session = make_session({PYTHON: [[1.8]], DOTNET: [[1.8]]})
    got = row(change_record(session, f"t0-{DOTNET}", fits=()))
    assert (got.fits, got.low, got.word) == (0, None, "unknown")


def test_the_remark_is_the_studys():
    assert "0.67 to 0.72" in shipped_study().paper.training_remark


def claim_of(session, study=None):
    study = study or make_study(training=(TrainingClaim("C5", "equally well", "figures", "runs"),))
    return judge(session, study).training[0]


def ending(session, arm, loss):
    """The session with another last loss in the timed runs of an arm, a little varied."""
    for place, entry in enumerate(e for e in session.timed() if e.arm == arm):
        fits = tuple(
            replace(f, losses=(*f.losses[:-1], loss + 0.0001 * place)) for f in entry.record.fits
        )
        session = change_record(session, entry.run_id, fits=fits)
    return session


WHOLE = make_session(paired([1.05, 1.06, 1.04, 1.05]))


def test_stacks_that_train_alike_and_as_published_hold_the_claim():
    found = claim_of(WHOLE)
    assert found.word == REPRODUCED
    assert {name: type(reason) for name, reason in found.reason.reasons} == {
        "loss": EqualInRange, "accuracy": EqualInRange
    }  # fmt: skip


def test_alike_but_elsewhere_is_another_size():
    both = ending(ending(WHOLE, PYTHON, 0.71), DOTNET, 0.71)
    assert claim_of(both).word == SAME_DIRECTION


def test_a_stack_that_trains_worse_contradicts_it():
    found = claim_of(ending(WHOLE, DOTNET, 0.9))
    assert found.word == OPPOSITE
    reason = dict(found.reason.reasons)["loss"]
    assert isinstance(reason, MeansDiffer)
    assert reason.means.contender == pytest.approx(0.9, abs=1e-3)


def test_one_block_or_a_value_that_is_not_finite_decides_nothing():
    assert claim_of(make_session(paired([1.05]))).word == INCONCLUSIVE
    assert claim_of(ending(WHOLE, DOTNET, math.nan)).word == INCONCLUSIVE


def test_a_missing_arm_cannot_be_tested_and_a_substitute_is_named():
    assert claim_of(make_session({PYTHON: paired([1.0])[PYTHON]})).word == NOT_TESTABLE
    found = claim_of(make_session(paired([1.05, 1.06, 1.04]), make_fidelity("binding")))
    assert found.printed == "INDICATIVE: REPRODUCED"


def test_failed_controls_do_not_touch_it():
    session = with_role(WHOLE, "placebo", [1.5, 1.51, 1.49, 1.5])
    assert claim_of(session).word == REPRODUCED
