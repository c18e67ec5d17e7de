"""A finding has the worst state of what was found, and a check that fails is one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kit.errors import InputError
from kit.verify.finding import Finding, State, finding


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (Finding("x", (), "all"), State.OK),
        (Finding("x", (), "none", absent=True), State.ABSENT),
        (Finding("x", (), "some", ("one",)), State.UNVERIFIED),
        (Finding("x", (), "some", ("one",), absent=True), State.UNVERIFIED),
        (Finding("x", ("two",), "some", ("one",)), State.WRONG),
    ],
)
def test_the_state_is_the_worst_of_what_was_found(found: Finding, state: State) -> None:
    assert found.state is state


@pytest.mark.parametrize("error", [InputError("broken", "mend"), KeyError("x"), OSError(5, "x")])
def test_a_check_that_cannot_be_made_is_wrong(error: Exception) -> None:
    def check() -> Iterator[str]:
        yield "seen before"
        raise error

    assert finding("x", check, "good").state is State.WRONG
