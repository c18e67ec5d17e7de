"""Every error that a user can meet, with its exit code.

Each error has one line for the problem and its place, and one line for the remedy.
``kit.cli`` catches them once; nothing else prints them or exits.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import ClassVar


class KitError(Exception):
    """Base of all errors that the user can solve.

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
    """An error for an unusable command line value or input file."""

    exit_code = 2
    meaning = "bad input: an option, an environment variable, the study, a spec or a results folder"


class FileError(InputError):
    """An error for an unusable file or folder; ``what`` is the reason without its path."""

    def __init__(self, path: PurePath, what: str, remedy: str) -> None:
        super().__init__(f"{path}: {what}", remedy)
        self.what = what


class HostError(KitError):
    """An error for a host that lacks something: an engine, memory, disk, a tool."""

    exit_code = 3
    meaning = (
        "the host is not ready: no engine, too little memory or disk, a missing tool; "
        "after the report: the CUDA arms that --gpu asked for could not be tested here"
    )


class InUseError(HostError):
    """An error for an image or a volume that the engine does not remove because it is in use."""


class LockedError(HostError):
    """An error for a lock that another process holds; ``holder`` names it."""

    def __init__(self, problem: str, remedy: str, holder: str) -> None:
        super().__init__(problem, remedy)
        self.holder = holder


class ImageError(KitError):
    """An error for an image that is not available or could not be built."""

    exit_code = 4
    meaning = (
        "an image is not available or could not be built (with --strict: only a substitute is)"
    )
    output: Sequence[str] = ()
    """The last lines of a failed builder's output, unchanged.

    Shown where the error ends the command. Code matches these lines to find the cause,
    never the message.
    """


class UnreachableError(ImageError):
    """An error for a registry that did not answer; requesting another image is of no use."""


class DeniedError(ImageError):
    """An error for a registry that answered and denied access, or limits how much it serves."""


class AbsentError(ImageError):
    """An error for a registry that answered and does not have the complete image."""


class ContentError(ImageError):
    """An error for a registry that served content with another digest."""


class RunError(KitError):
    """A failed run: crash, timeout, out of memory, changed limits, or a broken record."""

    exit_code = 5
    meaning = "a run failed: crash, timeout, out of memory, changed limits, or a broken record"


class NotStartedError(RunError):
    """An error for a container that did not start; ``reason`` is the engine's message."""

    def __init__(self, image: str, reason: str) -> None:
        super().__init__(
            f"a container of {image} could not be started: {reason}",
            "if the engine names a limit, ask for less; else see `kit doctor`",
        )
        self.reason = reason


class SameWorkError(KitError):
    """An error, after the report is written, for arms that did not do the same work."""

    exit_code = 6
    meaning = "the report is written, but the arms did not do the same work"


class VerdictError(KitError):
    """An error, after the report is written, for a verdict that --fail-on names."""

    exit_code = 7
    meaning = "the report is written, and a verdict is one that --fail-on names"


class TamperedError(KitError):
    """An error for a results folder changed after its session, or not signed as requested."""

    exit_code = 8
    meaning = (
        "kit verify, kit sign: a results folder is not as its session wrote it, "
        "or not signed as asked"
    )


class UnverifiedError(KitError):
    """An error for a results folder with nothing found wrong but not everything compared."""

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
