"""A result has the worst state of what was found, and a check that fails is one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kit.errors import InputError
from kit.verify.result import CheckResult, State, check_result


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (CheckResult("x", (), "all"), State.OK),
        (CheckResult("x", (), "none", absent=True), State.ABSENT),
        (CheckResult("x", (), "some", ("one",)), State.UNVERIFIED),
        (CheckResult("x", (), "some", ("one",), absent=True), State.UNVERIFIED),
        (CheckResult("x", ("two",), "some", ("one",)), State.WRONG),
    ],
)
def test_the_state_is_the_worst_of_what_was_found(found: CheckResult, state: State) -> None:
    assert found.state is state


@pytest.mark.parametrize("error", [InputError("broken", "mend"), KeyError("x"), OSError(5, "x")])
def test_a_check_that_cannot_be_made_is_wrong(error: Exception) -> None:
    def check() -> Iterator[str]:
        yield "seen before"
        raise error

    assert check_result("x", check, "good").state is State.WRONG
