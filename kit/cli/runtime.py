"""The commands' connection to this machine: engine, host, clock, terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import click
from rich.console import Console

from kit.app.runtime import Runtime, sweep
from kit.cli.options import ImageOptions
from kit.cli.process import say
from kit.cli.progress import progress_for
from kit.engine.discover import discover
from kit.engine.protocol import LOCK_LABEL, is_local
from kit.host.doctor.probe import free_disk
from kit.host.facts import LocalHost
from kit.host.locks import Locks, lock_id
from kit.host.network import read_network
from kit.host.setup import setup
from kit.images.inspect.describe import describe, user_cache
from kit.report.model import ReportModel
from kit.report.sections.top import show
from kit.results import REPORT


@contextmanager
def open_runtime(images: ImageOptions) -> Iterator[Runtime]:
    """Yield the runtime with the engine found, installing one first with ``install_engine``.

    Meanwhile no other kit can measure or build on this machine. Before and after, removes what
    a killed kit left in the engine. Raises HostError.
    """
    net = read_network()
    if images.install_engine:
        setup(say)
    lock = lock_id()
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
            allow_busy_host=images.allow_busy_host,
        )
        sweep(engine, lock, say)
    finally:
        locks.release()


def print_head(model: ReportModel, folder: Path) -> None:
    """Print the first sections of the report and the path of its file on standard output."""
    show(model, Console())
    click.echo(f"Report: {folder / REPORT}")
