"""``kit build``: the images alone, and whether they come out the same twice."""

from __future__ import annotations

from typing import Any

import click

from kit.cli.options import build_options, image_options
from kit.errors import ImageError


@click.command()
@click.option("--arms", default="", metavar="A,B", help="Only these arms; else every CPU arm.")
@image_options
@click.option(
    "--verify", is_flag=True, help="Build all a second time from nothing and compare every file."
)
def build(arms: str, verify: bool, **wishes: Any) -> None:
    """Build the images, and print what they are.

    With --verify the second images are made without cache, compared (path, type,
    mode, owner and content of every file; times aside) and removed again. Differences
    are printed and end with exit code 4.
    """
    from tabulate import tabulate

    from kit.cli.world import open_world
    from kit.engine.protocol import Engine
    from kit.images.build import Builder, Images
    from kit.images.compare import shown
    from kit.images.verify import rebuild
    from kit.pins.load import shipped_pins
    from kit.plan.make import chosen_arms
    from kit.study.load import shipped_study

    study, pins = shipped_study(), shipped_pins()
    chosen = chosen_arms(study, [name.strip() for name in arms.split(",") if name.strip()])
    options = build_options(wishes)
    with open_world(wishes) as world, world.progress.phase("images") as phase:

        def build_on(engine: Engine) -> Images:
            return Builder(engine, pins, world.net, options, phase.step).build(study, chosen)

        images = build_on(world.engine)
        rows = [
            [arm, image.reference, image.image_id[:19], f"{image.size_bytes / 1e6:.0f}",
             world.describe(image.image_id).content_sha256]
            for arm, image in images.arms.items()
        ]  # fmt: skip
        rebuilt = rebuild(world.engine, build_on, phase.step) if verify else ()
    headers = ["arm", "reference", "image id", "MB", "content"]
    click.echo(tabulate(rows, headers=headers, tablefmt="simple", disable_numparse=True))
    for found in rebuilt:
        same = not found.differences
        click.echo(f"{found.reference}: " + (f"the same twice ({found.first_sha256})" if same else
                   f"{len(found.differences)} differences"))  # fmt: skip
        for line in shown(found.differences):
            click.echo(f"  {line}")
    differing = [found.reference for found in rebuilt if found.differences]
    if differing:
        raise ImageError(
            f"--verify: {', '.join(differing)} came out different the second time",
            "see the differences above; packages that moved in their archive are one cause",
        )
