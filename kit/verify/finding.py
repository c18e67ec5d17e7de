"""One thing that was checked, and what was found wrong in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kit.errors import KitError

UNREADABLE = (OSError, ValueError, ArithmeticError, LookupError, RecursionError)
"""What a file that no kit wrote may raise: it must not hide what else is wrong."""


@dataclass(frozen=True)
class Finding:
    """One thing checked. ``wrong`` names every difference; empty: it is as it should be."""

    what: str
    wrong: tuple[str, ...]
    good: str


def finding(what: str, check: Callable[[], Iterable[str]], good: str) -> Finding:
    """What the check finds; that it cannot be made is wrong too."""
    try:
        return Finding(what, tuple(check()), good)
    except KitError as error:
        return Finding(what, (error.problem,), good)
    except UNREADABLE as error:
        return Finding(what, (f"cannot be checked: {said(error)}",), good)


def said(error: Exception) -> str:
    """The error in a line that names its file, where it is of one."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename} cannot be read ({error.strerror})"
    return f"{type(error).__name__}: {error}"
