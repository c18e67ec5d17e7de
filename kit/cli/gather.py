"""``kit gather``: the shards of one plan, made into one session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kit.cli.outcome import check_options, conclude, outcome_options

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command()
@click.argument("shards", nargs=-1, required=True, type=_FOLDER)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("results"),
    show_default=True,
    help="Where the gathered session's folder is made.",
)
@outcome_options
def gather(shards: tuple[Path, ...], out: Path, **wishes: Any) -> None:
    """Put the SHARDS of one plan (see `kit reproduce --shard`) into one session and judge it.

    Shards of another plan, kit or image, twice the same one, or a missing one are refused
    by name.
    """
    from kit import pipeline
    from kit.measure.runlog import read_session
    from kit.study.kept import study_for

    first = shards[0]
    check_options(wishes, study_for(first, read_session(first).header.plan.study_sha256))
    folder, study = pipeline.gather(shards, out)
    conclude(pipeline.report(folder, study), folder, wishes)
