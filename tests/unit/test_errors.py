"""Errors: every class has its own documented exit code."""

from __future__ import annotations

import pytest

from kit import errors
from kit.errors import ERRORS, EXIT_INTERRUPTED, EXIT_OK, KitError, UnreachableError


def test_exit_codes_are_as_documented() -> None:
    assert {error.__name__: error.exit_code for error in ERRORS} == {
        "KitError": 1,
        "InputError": 2,
        "HostError": 3,
        "ImageError": 4,
        "RunError": 5,
        "SameWorkError": 6,
        "VerdictError": 7,
        "TamperedError": 8,
        "UnverifiedError": 9,
    }
    assert (EXIT_OK, EXIT_INTERRUPTED) == (0, 130)


def test_every_error_class_of_the_module_has_a_documented_code() -> None:
    classes = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, KitError)
    ]
    assert {c.exit_code for c in classes} == {c.exit_code for c in ERRORS}
    assert len({c.meaning for c in ERRORS}) == len(ERRORS)


@pytest.mark.parametrize("error", [*ERRORS, UnreachableError])
def test_an_error_carries_problem_and_remedy(error: type[KitError]) -> None:
    made = error("what", "do this")
    assert (made.problem, made.remedy, str(made)) == ("what", "do this", "what")
