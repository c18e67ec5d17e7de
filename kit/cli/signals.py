"""Interrupts: the first one stops the work, and the stop itself has a limit."""

from __future__ import annotations

import os
import signal
from types import FrameType

from kit.errors import EXIT_INTERRUPTED


def stop_within(seconds: int) -> None:
    """Turn SIGINT and SIGTERM into one KeyboardInterrupt.

    Further ones are ignored while containers are being removed. Should that
    hang, the process ends all the same when the seconds are over.
    """

    def give_up(_number: int, _frame: FrameType | None) -> None:
        os._exit(EXIT_INTERRUPTED)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGALRM, give_up)
        signal.alarm(seconds)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)
