"""The result of one check, and the errors that a check may find."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from kit.errors import KitError

UNREADABLE = (OSError, ValueError, ArithmeticError, LookupError, RecursionError)
"""Errors that a file not written by kit may raise; they must not stop the other checks."""


class State(str, Enum):
    """The state of one check. The value is how `kit verify` prints it."""

    OK = "ok"
    ABSENT = "absent"
    """There is nothing to check; `CheckResult.good` explains it."""
    UNVERIFIED = "NOT VERIFIED"
    """Something exists, but kit cannot compare it on this machine."""
    WRONG = "WRONG"


@dataclass(frozen=True)
class CheckResult:
    """The result of one check.

    ``wrong`` names every difference, ``unverified`` everything that could not be compared;
    ``absent`` marks a thing that the folder does not have and need not have. ``remedy`` tells
    how to undo the fault, if its cause is known.
    """

    what: str
    wrong: tuple[str, ...]
    good: str
    unverified: tuple[str, ...] = ()
    absent: bool = False
    remedy: str = ""

    @property
    def state(self) -> State:
        """Return the worst state that applies: wrong, unverified, absent, ok."""
        if self.wrong:
            return State.WRONG
        if self.unverified:
            return State.UNVERIFIED
        return State.ABSENT if self.absent else State.OK


def check_result(
    what: str,
    check: Callable[[], Iterable[str]],
    good: str,
    unverified: Callable[[], Iterable[str]] = tuple,
) -> CheckResult:
    """Run a check and return its result; each text that it yields is a fault.

    ``what`` names the check and ``good`` describes it if nothing is wrong; ``unverified`` yields
    what could not be compared. A KitError, or an error in ``UNREADABLE``, counts as a fault too.
    """
    try:
        return CheckResult(what, tuple(check()), good, tuple(unverified()))
    except KitError as error:
        return CheckResult(what, (error.problem,), good)
    except UNREADABLE as error:
        return CheckResult(what, (f"cannot be checked: {message_of(error)}",), good)


def message_of(error: Exception) -> str:
    """Return the message of an error as one line, with its file's name if it has one."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename} cannot be read ({error.strerror})"
    return f"{type(error).__name__}: {error}"
