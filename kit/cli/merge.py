"""``kit merge``: put the shards of one plan into one session."""

from __future__ import annotations

from pathlib import Path

import click

from kit.cli.outcome import OutcomeOptions, check_options, conclude, outcome_options
from kit.cli.values import FOLDER, NEW_FOLDER


@click.command()
@click.argument("shards", nargs=-1, required=True, type=FOLDER)
@click.option(
    "--out",
    type=NEW_FOLDER,
    default=Path("results"),
    show_default=True,
    help="Where the merged session's folder is made.",
)
@outcome_options
def merge(shards: tuple[Path, ...], out: Path, outcome: OutcomeOptions) -> None:
    """Put the SHARDS of one plan (see `kit reproduce --shard`) into one session and judge it.

    Shards of another plan, kit or image, twice the same one, or a missing one are refused
    by name.
    """
    from kit.app import pipeline
    from kit.results.opened import open_session

    opened = [open_session(shard) for shard in shards]
    check_options(outcome, opened[0].study)
    merged = pipeline.merge(opened, out)
    conclude(pipeline.report(merged), merged.folder, outcome)
