"""Work side by side in threads: the first failure, or Ctrl-C, ends all of it.

What waits for long (an answer of the engine, another program) says by ``ended_by`` how it is
ended from outside. Without work beside it that changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event, Lock, Thread


class EndedError(Exception):
    """Raised in work that was ended because of what went wrong beside it.

    It is no KitError, so that nobody takes it for a reason to try something else.
    """


class _Group:
    """Tasks side by side: why they end, and how each of them is ended."""

    def __init__(self) -> None:
        self.failure: BaseException | None = None
        self._ends: list[Callable[[], None]] = []
        self._lock = Lock()

    def end(self, failure: BaseException) -> None:
        with self._lock:
            if self.failure is not None:
                return
            self.failure = failure
            ends = tuple(self._ends)
        for end in ends:
            end()

    def add(self, end: Callable[[], None]) -> None:
        with self._lock:
            self.check()
            self._ends.append(end)

    def remove(self, end: Callable[[], None]) -> None:
        with self._lock:
            self._ends.remove(end)

    def check(self) -> None:
        if self.failure is not None:
            raise EndedError from self.failure


_STEP_S = 0.2
_group: ContextVar[_Group | None] = ContextVar("_group", default=None)


class _Task(Thread):
    """One of a group, in a thread of its own."""

    def __init__(self, task: Callable[[], object], group: _Group) -> None:
        super().__init__(daemon=True)
        self.done = Event()
        self._task = task
        self._group = group

    def run(self) -> None:
        _group.set(self._group)
        try:
            self._group.check()
            self._task()
        except BaseException as error:
            self._group.end(error)
        finally:
            self.done.set()


def together(*tasks: Callable[[], object]) -> None:
    """Run every task in a thread of its own, until all are done.

    Raises what the first one to fail raised, or KeyboardInterrupt, once all have ended.
    """
    group = _Group()
    started = [_Task(task, group) for task in tasks]
    try:
        for each in started:
            each.start()
        _wait(started)
    except BaseException as error:
        # Ctrl-C reaches the main thread alone, which waits here.
        group.end(error)
        _wait(started)
        raise
    if group.failure is not None:
        raise group.failure


@contextmanager
def ended_by(end: Callable[[], None]) -> Iterator[None]:
    """Call ``end``, from another thread, should the work inside have to end early.

    ``end`` raises nothing, and may come when the work is just done. Raises EndedError in
    place of whatever the ended work raises, and at once where the end has come already.
    """
    group = _group.get()
    if group is None:
        yield
        return
    group.add(end)
    try:
        yield
    except Exception:
        group.check()
        raise
    finally:
        group.remove(end)
    group.check()


def _wait(tasks: list[_Task]) -> None:
    """Wait for all that began. One that has not, ends at once when its group has ended.

    Not with ``Thread.join``: interrupted in CPython 3.10 to 3.12, it takes a thread that works for
    one that is done.
    """
    for task in tasks:
        # In steps: a signal that comes just before a wait begins does not wake it.
        while task.ident is not None and not task.done.wait(_STEP_S):
            pass
