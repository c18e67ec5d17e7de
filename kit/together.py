"""Concurrent tasks in threads: the first failure, or Ctrl-C, ends all of them.

Code that waits for long (for an engine's answer, for another program) registers by ``ended_by``
how another thread can end it. Outside of ``together`` this has no effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event, Lock, Thread


class EndedError(Exception):
    """An error in a task that was ended because another task of its group failed.

    Not a KitError, so that no caller handles it by trying an alternative.
    """


class _Group:
    """Concurrent tasks: the failure that ends them, and the functions that end each of them."""

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
    """A task of a group, in its own thread."""

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
    """Run every task in a separate thread, until all are done.

    Raises the error of the first task to fail, or KeyboardInterrupt, once all have ended.
    """
    group = _Group()
    started = [_Task(task, group) for task in tasks]
    try:
        for each in started:
            each.start()
        _wait(started)
    except BaseException as error:
        # Ctrl-C reaches only the main thread, which waits here.
        group.end(error)
        _wait(started)
        raise
    if group.failure is not None:
        raise group.failure


@contextmanager
def ended_by(end: Callable[[], None]) -> Iterator[None]:
    """Call ``end``, from another thread, if the work inside the context has to end early.

    ``end`` must not raise, and may be called when the work is just done. Raises EndedError instead
    of the error of the ended work, and at once if the group has ended already.
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
    """Wait for all tasks that have started; the group's end stops any other at once.

    Not with ``Thread.join``: interrupted in CPython 3.10 to 3.12, it takes a running thread for a
    finished one.
    """
    for task in tasks:
        # In steps: a signal that arrives just before a wait begins does not interrupt it.
        while task.ident is not None and not task.done.wait(_STEP_S):
            pass
