"""The real world behind the commands: engine, host, clock, terminal."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import click
from rich.console import Console

from kit.cli.progress import progress_for
from kit.doctor.probe import free_disk
from kit.engine.discover import discover
from kit.engine.endpoints import is_local
from kit.images.describe import describe, user_cache
from kit.images.hostnet import gather
from kit.measure.host import LocalHost
from kit.report.files import REPORT
from kit.report.head import show
from kit.report.model import ReportModel
from kit.setup import setup
from kit.world import World


def say(text: str) -> None:
    """A line for people, on standard error."""
    click.echo(text, err=True)


def open_world(with_setup: bool) -> World:
    """The engine found (installed first, if that was asked for), and the rest."""
    net = gather()
    if with_setup:
        setup(say)
    engine = discover()
    local = is_local(engine.endpoint)
    return World(
        engine=engine,
        host=LocalHost(),
        net=net,
        now=lambda: datetime.now(timezone.utc),
        progress=progress_for(Console(stderr=True)),
        describe=lambda image_id: describe(engine, image_id, user_cache()),
        free_disk=free_disk if local else lambda _folder: None,
    )


def print_head(model: ReportModel, folder: Path) -> None:
    """The head of the report and where the whole of it is, on standard output."""
    show(model, Console())
    click.echo(f"Report: {folder / REPORT}")
