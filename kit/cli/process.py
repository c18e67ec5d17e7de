"""This process: its standard streams, and the signals that end it.

Streams are UTF-8 everywhere, and a closed pipe does not change the exit code. The first
interrupt stops the work, within a time limit.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import warnings
from types import FrameType
from typing import TYPE_CHECKING

import click

from kit.errors import EXIT_INTERRUPTED, HostError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""Signals of Ctrl-C, of kill without options, of a closed terminal, and of Ctrl-\\."""
_OUTPUTS = (1, 2)


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


def say(text: str) -> None:
    """Print a line for users on standard error."""
    click.echo(text, err=True)


def install(debug: bool) -> Output:
    """Replace standard output and error by streams that survive a closed pipe or a full disk.

    Returns that of standard output. Only ``debug`` shows warnings of libraries, which are for
    developers; a filter from the environment could turn them into errors.
    """
    if not debug:
        warnings.simplefilter("ignore")
    output = _opened(1)
    sys.stdout, sys.stderr = _text(output), _text(_opened(2))
    return output


def finish(output: Output) -> None:
    """Flush standard output and error. Raises HostError if standard output could not be written."""
    sys.stdout.flush()
    sys.stderr.flush()
    if output.failure is not None:
        raise HostError(
            f"standard output cannot be written ({output.failure.strerror})",
            "free disk space, or send the output elsewhere",
        )


def stop_within(seconds: int) -> None:
    """Turn the first signal that ends a program into a KeyboardInterrupt.

    Signals that are already ignored stay so: nohup ignores SIGHUP, and a shell without job
    control ignores SIGINT and SIGQUIT for background processes. Further signals are ignored
    while containers are being removed; if that hangs, the process ends after ``seconds``.
    """

    terminals = [output for output in _OUTPUTS if os.isatty(output)]

    def give_up(_number: int, _frame: FrameType | None) -> None:
        os._exit(EXIT_INTERRUPTED)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in STOPPING:
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGALRM, give_up)
        signal.alarm(seconds)
        for output in terminals:
            if not os.isatty(output):
                # The terminal was closed: writing to it would raise another error.
                os.dup2(os.open(os.devnull, os.O_WRONLY), output)
        raise KeyboardInterrupt

    for number in STOPPING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, interrupt)


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
