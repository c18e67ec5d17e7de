"""Interrupts: the first one stops the work, within a time limit."""

from __future__ import annotations

import os
import signal
from types import FrameType

from kit.errors import EXIT_INTERRUPTED

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""Signals of Ctrl-C, of kill without options, of a closed terminal, and of Ctrl-\\."""

_OUTPUTS = (1, 2)


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
