"""``kit ablate``: explain the difference between two arms."""

from __future__ import annotations

from pathlib import Path

import click

from kit.cli.options import (
    HOW_MUCH,
    OUTPUT,
    ImageOptions,
    TopicCommand,
    build_options,
    measuring_options,
    option,
    was_given,
)
from kit.cli.values import FOLDER, MAX_BLOCKS, NEW_FOLDER
from kit.errors import InputError


@click.command(cls=TopicCommand, short_help="Attribute the difference to its causes.")
@click.argument("folder", required=False, type=FOLDER)
@option(
    HOW_MUCH,
    "--blocks",
    type=click.IntRange(2, MAX_BLOCKS),
    metavar="N",
    help="Blocks of runs; 3 if left out.",
)
@option(
    HOW_MUCH,
    "--repeats",
    type=click.IntRange(2),
    metavar="N",
    help="Fits in each run; 4 if left out.",
)
@measuring_options
@option(
    OUTPUT,
    "--out",
    type=NEW_FOLDER,
    default=Path("explanation"),
    show_default=True,
    metavar="DIR",
    help="The folder of an explanation without a session.",
)
def ablate(
    folder: Path | None,
    out: Path,
    blocks: int | None,
    repeats: int | None,
    images: ImageOptions,
) -> None:
    """Explain the difference between the two CPU arms: change one thing per run.

    What changes, as far as the study's programs can: progress output, terminal, a probe around
    the library's own fit, memory that is not freed, the allocator. With the FOLDER of a session
    the explanation is made inside it, on the CPUs of an alternating session, and its report shows
    it. Repeat the command to continue one that was interrupted.
    """
    from kit.app.ablate import explain, target
    from kit.cli.outcome import warn_stale_signature
    from kit.cli.runtime import open_runtime
    from kit.report.ablation import plain_text
    from kit.results import ABLATION_REPORT

    if folder is not None and was_given("out"):
        raise InputError(
            f"--out: cannot be used with {folder}: its explanation is made inside it",
            "leave out one of the two",
        )
    chosen = target(folder, out, blocks, repeats)
    options = build_options(images)
    with open_runtime(images) as runtime:
        found = explain(runtime, chosen, options, blocks, repeats)
    if found is None:
        return
    for written in (folder, chosen.folder):
        if written is not None:
            warn_stale_signature(written)
    click.echo(plain_text(found))
    click.echo(f"Ablation: {chosen.folder / ABLATION_REPORT}")
