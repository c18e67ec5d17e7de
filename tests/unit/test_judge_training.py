"""Last-epoch loss and accuracy against the paper's ranges."""

from __future__ import annotations

import pytest
from sessions import DOTNET, PYTHON, change_record, make_fits, make_session, make_study, paired

from kit.judge.training import trained
from kit.study.load import shipped_study

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
