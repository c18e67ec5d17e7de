"""``kit bundle``: everything in one file, for machines without network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kit.cli.options import build_options, image_options


@click.group()
def bundle() -> None:
    """Write or load one file with every image, the pins, the study and the kit."""


@bundle.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--arms", default="", metavar="A,B", help="Only these arms; else every CPU arm.")
@image_options
def save(file: Path, arms: str, **wishes: Any) -> None:
    """Build or find the images and write the bundle to FILE."""
    from kit.bundle.save import save as write
    from kit.cli.world import open_world
    from kit.errors import InputError
    from kit.images.build import Builder
    from kit.pins.load import shipped_pins
    from kit.plan.make import chosen_arms
    from kit.study.load import shipped_study

    study = shipped_study()
    named = [name.strip() for name in arms.split(",") if name.strip()]
    chosen = chosen_arms(study, named)
    if not file.absolute().parent.is_dir():
        raise InputError(f"{file}: its folder is not there", "make the folder first")
    options = build_options(wishes)
    with open_world(wishes) as world, world.progress.phase("bundle") as phase:
        builder = Builder(world.engine, shipped_pins(), world.net, options, phase.step)
        images = builder.build(study, chosen)
        document = write(
            world.engine, images, images.nuget_source, file.absolute(), world.now(), phase.step
        )
    size = file.stat().st_size
    click.echo(
        f"{file}: {size / 1e9:.2f} GB, {len(document.images)} images for {', '.join(chosen)}"
    )


@bundle.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def load(file: Path) -> None:
    """Check FILE, load its images, and let `kit reproduce` use them."""
    from kit.bundle.load import load as bring
    from kit.bundle.store import data_folder
    from kit.cli.world import say
    from kit.engine.discover import discover

    document = bring(discover(), file, data_folder(), say)
    click.echo(
        f"{file}: {len(document.images)} images loaded, made {document.created}; "
        f"`kit reproduce --arms {','.join(sorted(document.arms))}` runs from them"
    )
