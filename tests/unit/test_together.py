"""Work side by side: all is done, or the first failure ends all of it."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from kit.errors import ImageError
from kit.together import EndedError, ended_by, together

LONG_S = 30


def waits(
    ended: list[str], started: threading.Event | None = None, after_s: float = 0.0
) -> Callable[[], None]:
    """Return work that lasts until it is ended, and says so long after how that looked inside."""

    def work() -> None:
        gone = threading.Event()
        try:
            with ended_by(gone.set):
                if started is not None:
                    started.set()
                gone.wait(LONG_S)
                raise ImageError("the answer stopped in the middle", "")
        except Exception as error:
            time.sleep(after_s)
            ended.append(type(error).__name__)
            raise

    return work


def test_tasks_run_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=LONG_S)
    together(both.wait, both.wait)


def test_the_first_failure_is_told_and_ends_the_others() -> None:
    ended: list[str] = []
    started = threading.Event()

    def fails() -> None:
        started.wait(LONG_S)
        raise ImageError("no such image", "")

    with pytest.raises(ImageError, match="no such image"):
        together(waits(ended, started), fails)
    assert ended == [EndedError.__name__]


@pytest.mark.slow
def test_an_interrupt_ends_all_and_is_raised_once_they_have_ended() -> None:
    ended: list[str] = []
    started = [threading.Event(), threading.Event()]

    def interrupt() -> None:
        for event in started:
            event.wait(LONG_S)
        time.sleep(0.05)  # so that the main thread waits
        # A real signal: `interrupt_main` does not wake a thread that waits already.
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    killer = threading.Thread(target=interrupt)
    killer.start()
    with pytest.raises(KeyboardInterrupt):
        together(*(waits(ended, event, after_s=0.2) for event in started))
    killer.join()
    assert ended == [EndedError.__name__] * 2


def test_a_program_is_ended_by_a_failure_beside_it() -> None:
    started = threading.Event()
    begin = time.monotonic()

    def program() -> None:
        process = subprocess.Popen(["sleep", str(LONG_S)])
        with ended_by(process.kill):
            started.set()
            process.wait()

    def fails() -> None:
        started.wait(LONG_S)
        raise ImageError("no", "")

    with pytest.raises(ImageError):
        together(program, fails)
    assert time.monotonic() - begin < LONG_S / 2


def test_nothing_new_is_begun_after_the_end() -> None:
    begun: list[str] = []

    def goes_on() -> None:
        gone = threading.Event()
        with suppress(EndedError), ended_by(gone.set):
            gone.wait(LONG_S)
        with ended_by(gone.set):
            begun.append("more")

    def fails() -> None:
        raise ImageError("no", "")

    with pytest.raises(ImageError):
        together(goes_on, fails)
    assert not begun


def test_work_done_alone_is_ended_by_nothing() -> None:
    with pytest.raises(ImageError), ended_by(lambda: None):
        raise ImageError("its own", "")
