"""``kit verify-image``: compare images here with those that a results folder records."""

from __future__ import annotations

from pathlib import Path

import click

from kit.cli.values import FOLDER


@click.command("verify-image")
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
