"""Interrupts: the first one stops the work, and the stop itself has a limit."""

from __future__ import annotations

import os
import signal
from types import FrameType

from kit.errors import EXIT_INTERRUPTED

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""Ctrl-C, an ordinary kill, a terminal that went away, and Ctrl-\\."""

_OUTPUTS = (1, 2)


def stop_within(seconds: int) -> None:
    """Turn each signal that ends a program into one KeyboardInterrupt.

    A signal that is ignored already stays ignored: nohup ignores SIGHUP, and a shell
    without job control ignores SIGINT and SIGQUIT for what it starts in the background.
    Further signals are ignored while containers are being removed. Should that hang,
    the process ends all the same when the seconds are over.
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
                # It went away: what is said to it now would end in an error of its own.
                os.dup2(os.open(os.devnull, os.O_WRONLY), output)
        raise KeyboardInterrupt

    for number in STOPPING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, interrupt)
