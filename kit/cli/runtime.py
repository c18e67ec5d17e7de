"""The commands' connection to this machine: engine, host, clock, terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TextIO

import click
from rich.console import Console

from kit.app.runtime import Runtime, sweep
from kit.cli.options import ImageOptions
from kit.cli.process import say
from kit.cli.progress import progress_for
from kit.engine.discover import discover
from kit.engine.protocol import LOCK_LABEL, is_local
from kit.environment import build_log
from kit.host.doctor.probe import free_disk
from kit.host.facts import LocalHost
from kit.host.locks import Locks, lock_namespace_id
from kit.host.network import read_network
from kit.host.setup import setup
from kit.images.inspect.describe import describe, user_cache
from kit.report.model import ReportModel
from kit.report.sections.top import show
from kit.report.text import plain
from kit.results import REPORT

_LONGEST_LINE = 10_000


@contextmanager
def open_runtime(images: ImageOptions) -> Iterator[Runtime]:
    """Yield the runtime with the engine found, installing one first with ``install_engine``.

    Meanwhile no other kit can measure or build on this machine. Before and after, removes what
    a killed kit left in the engine. Raises HostError.
    """
    net = read_network()
    if images.install_engine:
        setup(say)
    lock = lock_namespace_id()
    engine = discover().labelling({LOCK_LABEL: lock})
    local = is_local(engine.endpoint)
    locks = Locks(images.wait_for_lock, say)
    try:
        locks.machine()
        sweep(engine, lock, say)
        yield Runtime(
            engine=engine,
            host=LocalHost(),
            net=net,
            now=lambda: datetime.now(timezone.utc),
            progress=progress_for(Console(stderr=True)),
            describe=lambda image_id: describe(engine, image_id, user_cache()),
            free_disk=free_disk if local else lambda _folder: None,
            lock_results=locks.folder,
            build_output=BuildLog(images.verbose).write,
            allow_busy_host=images.allow_busy_host,
        )
        sweep(engine, lock, say)
    finally:
        locks.release()


class BuildLog:
    """The file with all output of this command's image builds, begun with its first line.

    ``verbose`` prints the lines too. Builds go on if the file cannot be written.
    """

    def __init__(self, verbose: bool) -> None:
        self._verbose = verbose
        self._file: TextIO | None = None
        self._tried = False

    def write(self, line: str) -> None:
        """Write a line, without characters that control a terminal."""
        text = plain(line, _LONGEST_LINE)
        if self._verbose:
            say(text)
        with suppress(OSError):
            if not self._tried:
                self._tried = True
                self._file = self._begun()
            if self._file is not None:
                self._file.write(f"{text}\n")
                self._file.flush()

    @staticmethod
    def _begun() -> TextIO | None:
        path = build_log()
        if path is None:
            return None
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("w", encoding="utf-8")


def print_head(model: ReportModel, folder: Path) -> None:
    """Print the first sections of the report and the path of its file on standard output."""
    show(model, Console())
    click.echo(f"Report: {folder / REPORT}")
