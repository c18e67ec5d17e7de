"""``kit bundle``: one file with the images and the kit, for machines without network."""

from __future__ import annotations

from pathlib import Path

import click

from kit.cli.options import ImageOptions, build_options, image_options
from kit.cli.values import ARMS, FILE, NEW_FILE


@click.group()
def bundle() -> None:
    """Write or load one file with every image, the pins, the study and the kit."""


@bundle.command()
@click.argument("file", type=NEW_FILE)
@click.option(
    "--arms", type=ARMS, default=(), metavar="A,B", help="Only these arms; else every CPU arm."
)
@image_options
def save(file: Path, arms: tuple[str, ...], images: ImageOptions) -> None:
    """Build or find the images and write the bundle to FILE."""
    from rich.filesize import decimal

    from kit.app.images import build
    from kit.cli.runtime import open_runtime
    from kit.errors import InputError
    from kit.images.bundle.save import save as write
    from kit.pins.load import shipped_pins
    from kit.plan.make import chosen_arms
    from kit.study.load import shipped_study

    study = shipped_study()
    chosen = chosen_arms(study, arms)
    if not file.absolute().parent.is_dir():
        raise InputError(f"{file}: its folder is not there", "make the folder first")
    options = build_options(images)
    with open_runtime(images) as runtime:
        built = build(runtime, study, shipped_pins(), options, chosen)
        with runtime.progress.phase("bundle") as phase:
            document = write(
                runtime.engine, built, built.nuget_source, file.absolute(), runtime.now(),
                phase.step,
            )  # fmt: skip
    size = file.stat().st_size
    click.echo(f"{file}: {decimal(size)}, {len(document.images)} images for {', '.join(chosen)}")


@bundle.command()
@click.argument("file", type=FILE)
def load(file: Path) -> None:
    """Check FILE, load its images, and let `kit reproduce` use them."""
    from kit.cli.process import say
    from kit.engine.discover import discover
    from kit.environment import data_folder, homeless
    from kit.files.documents import cleaned
    from kit.images.bundle.load import load as bring
    from kit.records.command import shown

    data = data_folder()
    if data is None:
        raise homeless("XDG_DATA_HOME")
    document = bring(discover(), file, data, say)
    arms = cleaned(",".join(sorted(document.arms)), keep_newlines=False)
    click.echo(
        f"{file}: {len(document.images)} images loaded, made {document.created}; "
        f"`{shown('reproduce', '--arms', arms)}` runs from them"
    )
