"""One thing that was checked, and what was found wrong in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from kit.errors import KitError

UNREADABLE = (OSError, ValueError, ArithmeticError, LookupError, RecursionError)
"""What a file that no kit wrote may raise: it must not hide what else is wrong."""


class State(str, Enum):
    """The result of one check. The value is how `kit verify` prints it."""

    OK = "ok"
    ABSENT = "absent"
    """There is nothing to check; `CheckResult.good` names what that means."""
    UNVERIFIED = "NOT VERIFIED"
    """It is there, and could not be compared here."""
    WRONG = "WRONG"


@dataclass(frozen=True)
class CheckResult:
    """One thing checked.

    ``wrong`` names every difference, ``unverified`` everything that could not be compared;
    ``absent`` marks a thing that the folder does not have and need not have. ``remedy`` is
    what undoes the fault, where what was found tells.
    """

    what: str
    wrong: tuple[str, ...]
    good: str
    unverified: tuple[str, ...] = ()
    absent: bool = False
    remedy: str = ""

    @property
    def state(self) -> State:
        """Return the worst that was found."""
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
    """Return what the checks find; a check that cannot be made is wrong too."""
    try:
        return CheckResult(what, tuple(check()), good, tuple(unverified()))
    except KitError as error:
        return CheckResult(what, (error.problem,), good)
    except UNREADABLE as error:
        return CheckResult(what, (f"cannot be checked: {said(error)}",), good)


def said(error: Exception) -> str:
    """Return the error in a line that names its file, where it is of one."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename} cannot be read ({error.strerror})"
    return f"{type(error).__name__}: {error}"
