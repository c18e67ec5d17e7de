"""``kit build``: build the images, and check that a second build gives the same content."""

from __future__ import annotations

import click

from kit.cli.options import ImageOptions, build_options, image_options
from kit.cli.values import ARMS
from kit.errors import ImageError


@click.command()
@click.option(
    "--arms", type=ARMS, default=(), metavar="A,B", help="Only these arms; else every CPU arm."
)
@image_options
@click.option(
    "--verify",
    is_flag=True,
    help="Build everything a second time without cache and compare every file.",
)
def build(arms: tuple[str, ...], verify: bool, images: ImageOptions) -> None:
    """Build the images, and print what they are.

    With --verify the images are built a second time without cache, compared (path, type,
    mode, owner and content of every file; not times) and removed. Differences are printed and
    end with exit code 4.
    """
    from rich.filesize import decimal
    from tabulate import tabulate

    from kit.app.images import build_images, build_twice
    from kit.cli.runtime import open_runtime
    from kit.images.inspect.compare import shown
    from kit.pins.load import shipped_pins
    from kit.plan.make import chosen_arms
    from kit.study.load import shipped_study

    study, pins = shipped_study(), shipped_pins()
    chosen = chosen_arms(study, arms)
    options = build_options(images)
    with open_runtime(images) as runtime:
        built, _ = build_images(runtime, study, pins, options, chosen)
        rebuilt = build_twice(runtime, study, pins, options, chosen) if verify else ()
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
            f"--verify: {', '.join(differing)} came out different the second time",
            "see the differences above; packages that moved in their archive are one cause",
        )
