"""``kit verify-image``: is the image here the one that a results folder speaks of?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kit.cli.paths import FOLDER
from kit.errors import ImageError, InputError

if TYPE_CHECKING:
    from kit.engine.protocol import Engine
    from kit.records.images import ArmImage


@click.command("verify-image")
@click.argument("folder", type=FOLDER)
@click.option("--arm", default="", help="Only this arm; else every arm of the session.")
@click.option("--image", default="", metavar="REF", help="The image to check, with --arm.")
def verify_image(folder: Path, arm: str, image: str) -> None:
    """Compare images in the engine's store with the content digests of a results folder.

    Every file is read again. A digest that differs ends with exit code 4.
    """
    from kit.engine.discover import discover
    from kit.images.inspect.content import read_content
    from kit.results.runlog import read_session

    recorded = read_session(folder).header.images
    if image and not arm:
        raise InputError("--image: says not of which arm", f"add --arm ({', '.join(recorded)})")
    if arm and arm not in recorded:
        raise InputError(f"--arm: {folder} has no arm {arm!r}", f"use one of {', '.join(recorded)}")
    chosen = {arm: recorded[arm]} if arm else recorded
    without = [name for name, found in chosen.items() if not found.content_sha256]
    if without:
        raise InputError(
            f"{folder}: the log holds no content digest of {', '.join(without)}",
            "compare the image ids that the report names instead",
        )
    engine = discover()
    differing = []
    for name, found in chosen.items():
        here = image or _local(engine, found)
        digest = read_content(engine, here).sha256
        same = digest == found.content_sha256
        click.echo(f"{name}: {here}: {'same content' if same else 'DIFFERENT content'} ({digest})")
        if not same:
            differing.append(f"{name} has {digest}, recorded is {found.content_sha256}")
    if differing:
        raise ImageError(
            f"{folder}: {'; '.join(differing)}",
            "`kit build --verify` shows whether this image can be built again as it was",
        )


def _local(engine: Engine, recorded: ArmImage) -> str:
    """The recorded image itself, else what carries its name here."""
    if engine.find_image(recorded.image_id) is not None:
        return recorded.image_id
    return recorded.reference
