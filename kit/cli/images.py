"""Commands on images: ``kit build``, ``kit bundle`` and ``kit verify-image``."""

from __future__ import annotations

from pathlib import Path

import click

from kit.cli.options import ImageOptions, build_options, image_options, renamed_flag
from kit.cli.values import ARMS, FILE, FOLDER, NEW_FILE
from kit.errors import ImageError, InputError

_of_arms = click.option(
    "--arms", type=ARMS, default=(), metavar="A,B", help="Only these arms; else every CPU arm."
)


@click.command()
@_of_arms
@image_options
@renamed_flag("--verify", "--check-reproducible")
@click.option(
    "--check-reproducible",
    is_flag=True,
    help="Build everything a second time without cache and compare every file.",
)
def build(arms: tuple[str, ...], check_reproducible: bool, images: ImageOptions) -> None:
    """Build the images, and print what they are.

    With --check-reproducible the images are built a second time without cache, compared (path,
    type, mode, owner and content of every file; not times) and removed. Differences are printed
    and end with exit code 4.
    """
    from rich.filesize import decimal
    from tabulate import tabulate

    from kit.app.images import build_images, build_twice
    from kit.cli.runtime import open_runtime
    from kit.images.inspect.compare import shown
    from kit.plan.make import chosen_arms
    from kit.study.load import shipped_study

    study = shipped_study()
    chosen = chosen_arms(study, arms)
    options = build_options(images)
    with open_runtime(images) as runtime:
        built, _ = build_images(runtime, study, options, chosen)
        rebuilt = build_twice(runtime, study, options, chosen) if check_reproducible else ()
    rows = [
        [arm, image.reference, image.image_id[:19], decimal(image.size_bytes), image.content_sha256]
        for arm, image in built.arms.items()
    ]
    headers = ["arm", "reference", "image id", "size", "content"]
    click.echo(tabulate(rows, headers=headers, tablefmt="simple", disable_numparse=True))
    for found in rebuilt:
        count = len(found.differences)
        result = f"{count} differences" if count else f"the same twice ({found.first_sha256})"
        click.echo(f"{found.reference}: {result}")
        for line in shown(found.differences):
            click.echo(f"  {line}")
    differing = [found.reference for found in rebuilt if found.differences]
    if differing:
        raise ImageError(
            f"--check-reproducible: {', '.join(differing)} came out different the second time",
            "see the differences above; packages that moved in their archive are one cause",
        )


@click.group(short_help="Pack everything into one file for use without network.")
def bundle() -> None:
    """Write or load one file with every image, the pins, the study and the kit."""


@bundle.command()
@click.argument("file", type=NEW_FILE)
@_of_arms
@image_options
def save(file: Path, arms: tuple[str, ...], images: ImageOptions) -> None:
    """Build or find the images and write the bundle to FILE."""
    from rich.filesize import decimal

    from kit.app.images import find_or_build
    from kit.cli.runtime import open_runtime
    from kit.images.bundle.save import save_bundle
    from kit.plan.make import chosen_arms
    from kit.study.load import shipped_study

    study = shipped_study()
    chosen = chosen_arms(study, arms)
    if not file.absolute().parent.is_dir():
        raise InputError(f"{file}: its folder is not there", "make the folder first")
    options = build_options(images)
    with open_runtime(images) as runtime:
        built = find_or_build(runtime, study, options, chosen)
        with runtime.progress.phase("bundle") as phase:
            document = save_bundle(
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
    from kit.images.bundle.load import load_bundle
    from kit.records.command import shown

    data = data_folder()
    if data is None:
        raise homeless("XDG_DATA_HOME")
    document = load_bundle(discover(), file, data, say)
    arms = cleaned(",".join(sorted(document.arms)), keep_newlines=False)
    click.echo(
        f"{file}: {len(document.images)} images loaded, made {document.created}; "
        f"`{shown('reproduce', '--arms', arms)}` runs from them"
    )


@click.command("verify-image", short_help="Compare an image here with that of a results folder.")
@click.argument("folder", type=FOLDER)
@click.option("--arm", default="", help="Only this arm; else every arm of the session.")
@click.option("--image", default="", metavar="REF", help="The image to check, with --arm.")
def verify_image(folder: Path, arm: str, image: str) -> None:
    """Compare images in the engine's store with the content digests of a results folder.

    Every file is read again. A digest that differs ends with exit code 4.
    """
    from kit.app.images import compare, recorded_images, refuse_different
    from kit.engine.discover import discover
    from kit.files.documents import cleaned

    recorded = recorded_images(folder, arm, image)
    compared = []
    for found in compare(discover(), recorded, image):
        result = "same content" if found.same else "DIFFERENT content"
        line = f"{found.arm}: {found.reference}: {result} ({found.sha256})"
        click.echo(cleaned(line, keep_newlines=False))
        compared.append(found)
    refuse_different(folder, compared)
