"""Every error a user can meet, with its exit code.

Each error carries one line on what is wrong and where, and one line on what to
do. They are caught once, in ``kit.cli``; nothing else prints them or exits.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import ClassVar


class KitError(Exception):
    """Base of all errors that are the user's to solve.

    Args:
        problem: one line: what is wrong and where (file, field, component).
        remedy: one line: what to do about it.
    """

    exit_code: ClassVar[int] = 1
    meaning: ClassVar[str] = "unexpected failure"

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


class InputError(KitError):
    """A command line value or an input file is not usable."""

    exit_code = 2
    meaning = "bad input: an option, an environment variable, the study, a spec or a results folder"


class FileError(InputError):
    """A file or folder is not usable; ``what`` is what is wrong with it, without its path."""

    def __init__(self, path: PurePath, what: str, remedy: str) -> None:
        super().__init__(f"{path}: {what}", remedy)
        self.what = what


class HostError(KitError):
    """The host lacks something: an engine, memory, disk, a tool."""

    exit_code = 3
    meaning = (
        "the host is not ready: no engine, too little memory or disk, a missing tool; "
        "after the report: the CUDA arms that --gpu asked for could not be tested here"
    )


class InUseError(HostError):
    """The engine keeps something because something else uses it."""


class LockedError(HostError):
    """Another process holds a lock; ``holder`` is who, in words."""

    def __init__(self, problem: str, remedy: str, holder: str) -> None:
        super().__init__(problem, remedy)
        self.holder = holder


class ImageError(KitError):
    """An image could not be had or built."""

    exit_code = 4
    meaning = "an image could not be had or built (with --strict: only a substitute could)"
    output: Sequence[str] = ()
    """The last lines of a builder that failed: what it complained of, as it said it.

    Shown where the error ends the command; what was wrong is decided by them, never by
    the message.
    """


class UnreachableError(ImageError):
    """A registry did not answer; asking it for another image is of no use."""


class DeniedError(ImageError):
    """A registry answered, and gives nothing without other credentials."""


class AbsentError(ImageError):
    """A registry answered, and does not have the image, or not all of it."""


class ContentError(ImageError):
    """A registry served something else than the digest names."""


class RunError(KitError):
    """A run failed: crash, timeout, out of memory, changed limits, or a broken record."""

    exit_code = 5
    meaning = "a run failed: crash, timeout, out of memory, changed limits, or a broken record"


class NotStartedError(RunError):
    """The engine did not start a container; ``reason`` is why, in its own words."""

    def __init__(self, image: str, reason: str) -> None:
        super().__init__(
            f"a container of {image} could not be started: {reason}",
            "if the engine names a limit, ask for less; else see `kit doctor`",
        )
        self.reason = reason


class SameWorkError(KitError):
    """The report is written, but the arms did not do the same work."""

    exit_code = 6
    meaning = "the report is written, but the arms did not do the same work"


class VerdictError(KitError):
    """The report is written, and a verdict is one that --fail-on names."""

    exit_code = 7
    meaning = "the report is written, and a verdict is one that --fail-on names"


class TamperedError(KitError):
    """A results folder is not as its session wrote it, or not signed as was asked for."""

    exit_code = 8
    meaning = (
        "kit verify, kit sign: a results folder is not as its session wrote it, "
        "or not signed as asked"
    )


class UnverifiedError(KitError):
    """Nothing in a results folder was found wrong, but not everything could be compared."""

    exit_code = 9
    meaning = "kit verify: found nothing wrong, but could not compare everything"


EXIT_OK = 0
EXIT_INTERRUPTED = 130

ERRORS: tuple[type[KitError], ...] = (
    KitError,
    InputError,
    HostError,
    ImageError,
    RunError,
    SameWorkError,
    VerdictError,
    TamperedError,
    UnverifiedError,
)
