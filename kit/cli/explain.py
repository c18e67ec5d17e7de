"""``kit explain``: where a difference comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kit.cli.options import build_options, given, image_options
from kit.errors import InputError


@click.command()
@image_options
@click.argument(
    "folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False)
)
@click.option("--blocks", type=click.IntRange(2), help="Blocks of runs; 3 if left out.")
@click.option("--repeats", type=click.IntRange(2), help="Fits in each run; 4 if left out.")
@click.option("--noisy", is_flag=True, help="Measure though the machine is busy.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("explanation"),
    show_default=True,
    help="The folder of an explanation without a session.",
)
def explain(
    folder: Path | None,
    out: Path,
    blocks: int | None,
    repeats: int | None,
    noisy: bool,
    **wishes: Any,
) -> None:
    """Take the difference between the two CPU arms apart, in containers of their own.

    Each run changes one thing, as far as the study's programs can: progress output, terminal,
    a probe around the library's own fit, memory that is kept, the allocator. With the FOLDER
    of a session the explanation is made beside it, on the CPUs of a sequential one, and its
    report shows it. An interrupted one goes on when the command is repeated.
    """
    from kit import explain as explaining
    from kit import pipeline
    from kit.cli.outcome import warn_unfit
    from kit.cli.world import open_world
    from kit.measure.runlog import read_session
    from kit.pins.load import shipped_pins
    from kit.report.explanation import REPORT, plain_text
    from kit.results.folder import EXPLAINING, open_results
    from kit.study.kept import study_for
    from kit.study.load import shipped_study

    if folder is not None and given("out"):
        raise InputError(
            f"--out: cannot be given with {folder}, beside which the explanation is made",
            "leave out one of the two",
        )
    place = out if folder is None else folder / EXPLAINING
    if folder is not None:
        read_session(folder).must_compare()
        with open_results(folder) as results:
            # Raises where a link would lead the explanation elsewhere.
            results.holds_folder(EXPLAINING)
    there = explaining.begun(place)
    if there:
        explaining.check_there(place, blocks, repeats)
    known = folder if folder is not None else (place if there else None)
    study = (
        shipped_study()
        if known is None
        else study_for(known, read_session(known).header.plan.study_sha256)
    )
    options = build_options(wishes)
    with open_world(wishes) as world:
        if folder is not None:
            world.claim(folder)
        explaining.explain(world, study, shipped_pins(), options, place, blocks, repeats, noisy)
        found = explaining.explanation(place, study)
        if found is None:
            return
        explaining.write(place, found)
        if folder is not None:
            pipeline.report(folder, study)
            warn_unfit(folder)
        warn_unfit(place)
    click.echo(plain_text(found))
    click.echo(f"Explanation: {place / REPORT}")
