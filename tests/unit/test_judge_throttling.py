"""A CPU quota from outside: its runs are flagged, and arms it slows unequally decide nothing."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from support.sessions import (
    DOTNET,
    PYTHON,
    change_record,
    fail_run,
    make_session,
    make_study,
    paired,
    run_named,
)

from kit.judge.comparison import judge
from kit.judge.reasons import Capped, InBand
from kit.records.record import Cgroup
from kit.records.session import Session

RATIOS = [1 / 0.936, 1 / 0.933, 1 / 0.939, 1 / 0.935]  # reproduced: gains of about 6.4 %


def throttled(shares: Mapping[str, float], blocks: int = 4) -> Session:
    """A session whose arms' runs were throttled for these shares of their timed seconds."""
    session = make_session(paired(RATIOS))
    for arm, share in shares.items():
        for block in range(blocks):
            record = run_named(session, f"t{block}-{arm}").record
            assert record is not None
            timed_us = sum(fit.wall_ns for fit in record.fits) / 1000
            cgroup = Cgroup(100, 50, round(share * timed_us), None, 50_000, 100_000)
            session = change_record(session, f"t{block}-{arm}", cgroup=cgroup)
    return session


def words(session: Session) -> set[str]:
    (comparison,) = judge(session, make_study()).comparisons
    return {verdict.word for verdict in comparison.verdicts}


@pytest.mark.parametrize(
    "shares, word",
    [
        ({}, "REPRODUCED"),
        ({PYTHON: 0.0, DOTNET: 0.0}, "REPRODUCED"),
        ({PYTHON: 0.009}, "REPRODUCED"),
        ({PYTHON: 0.3, DOTNET: 0.295}, "REPRODUCED"),
        ({PYTHON: 0.011}, "INCONCLUSIVE"),
        ({DOTNET: 0.5}, "INCONCLUSIVE"),
        ({PYTHON: 0.0, DOTNET: 0.5}, "INCONCLUSIVE"),
        ({PYTHON: 1.6, DOTNET: 0.5}, "INCONCLUSIVE"),
    ],
)
def test_arms_that_were_throttled_unequally_decide_nothing(
    shares: dict[str, float], word: str
) -> None:
    assert words(throttled(shares)) == {word}


def test_one_run_alone_counts_by_its_part_of_the_time() -> None:
    assert words(throttled({PYTHON: 0.03}, blocks=1)) == {"REPRODUCED"}
    assert words(throttled({PYTHON: 0.3}, blocks=1)) == {"INCONCLUSIVE"}


def test_the_reason_names_the_arms_and_the_word_without_it() -> None:
    (comparison,) = judge(throttled({DOTNET: 0.5}), make_study()).comparisons
    for verdict in comparison.verdicts:
        assert isinstance(verdict.reason, Capped)
        assert verdict.reason.controls == ()
        shares = {each.arm: round(each.share, 2) for each in verdict.reason.throttled}
        assert shares == {PYTHON: 0.0, DOTNET: 0.5}
        assert (verdict.reason.without, verdict.reason.reason) == (
            "REPRODUCED",
            InBand(verdict.claim.band_percent),
        )


def test_every_throttled_run_is_flagged_and_counts() -> None:
    result = judge(throttled({PYTHON: 0.001}), make_study())
    assert {flag.run_id for flag in result.flags} == {f"t{block}-{PYTHON}" for block in range(4)}
    assert len(result.main_runs) == 8


def test_a_claim_that_cannot_be_tested_stays_so() -> None:
    session = throttled({PYTHON: 0.5})
    for block in range(4):
        session = fail_run(session, f"t{block}-{DOTNET}")
    assert words(session) == {"NOT TESTABLE HERE"}
