"""``kit new-study``: write a commented study to start from."""

from __future__ import annotations

from pathlib import Path

import click

from kit.cli.values import NEW_FOLDER


@click.command("new-study", short_help="Create a small commented study to start from.")
@click.argument("folder", type=NEW_FOLDER)
def new_study(folder: Path) -> None:
    """Write a small study that runs as it is, with every key explained, to FOLDER.

    It has two arms, each a Dockerfile of a few lines; change it into your own and run
    `kit reproduce --study FOLDER`.
    """
    from kit.records.command import shown
    from kit.study.load import write_new_study

    for name in write_new_study(folder):
        click.echo(folder / name)
    click.echo(f"Run it: {shown('reproduce', '--study', folder)}")
