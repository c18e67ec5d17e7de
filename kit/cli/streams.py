"""Standard streams: UTF-8 everywhere, and a closed pipe does not change the exit code."""

from __future__ import annotations

import io
import os
import sys
import warnings
from typing import TYPE_CHECKING

import click

from kit.errors import HostError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def say(text: str) -> None:
    """Print a line for users on standard error."""
    click.echo(text, err=True)


class Output(io.FileIO):
    """A standard stream that drops the output which it cannot write.

    Results are in files, so the work goes on. ``failure`` is the error that prevented a write,
    None if there was none or the reader closed its pipe.
    """

    failure: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        """Write the bytes, or drop them and all later ones; return their number."""
        try:
            return super().write(data) or 0
        except OSError as error:
            if not isinstance(error, BrokenPipeError):
                self.failure = error
            _discard(self.fileno())
        return memoryview(data).nbytes


def install(debug: bool) -> Output:
    """Replace the standard streams; return the one of standard output.

    Only ``debug`` shows warnings of libraries, which are for developers; a filter from the
    environment could turn them into errors.
    """
    if not debug:
        warnings.simplefilter("ignore")
    output = _opened(1)
    sys.stdout, sys.stderr = _text(output), _text(_opened(2))
    return output


def finish(output: Output) -> None:
    """Flush both streams. Raises HostError if standard output could not be written."""
    sys.stdout.flush()
    sys.stderr.flush()
    if output.failure is not None:
        raise HostError(
            f"standard output cannot be written ({output.failure.strerror})",
            "free disk space, or send the output elsewhere",
        )


def _opened(number: int) -> Output:
    try:
        return Output(number, "wb", closefd=False)
    except OSError:
        # The parent process closed it: otherwise the next opened file would take its number.
        _discard(number)
        return Output(number, "wb", closefd=False)


def _discard(number: int) -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    if null != number:
        os.dup2(null, number)
        os.close(null)


def _text(raw: Output) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding="utf-8",
        errors="backslashreplace",
        line_buffering=raw.isatty() or raw.fileno() == 2,
    )
