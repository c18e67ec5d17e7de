"""``kit sign``: sign a results folder with an SSH key."""

from __future__ import annotations

from pathlib import Path

import click

from kit.cli.values import FOLDER, SMALL


@click.command()
@click.argument("folder", type=FOLDER)
@click.option(
    "--key",
    required=True,
    type=SMALL,
    help="A private SSH key, or the public key of one that ssh-agent holds.",
)
def sign(folder: Path, key: Path) -> None:
    """Sign the results in FOLDER: an SSH signature of SHA256SUMS, in SHA256SUMS.sig.

    The folder is verified first, and one that does not hold is not signed (exit code 8). A
    signature that was there is replaced. `kit verify --signer` checks it; it says who vouches
    for the files, not that what they say is true.
    """
    from kit.files.write import write_whole
    from kit.host.locks import writing
    from kit.results import sign as signing
    from kit.results.names import SIGNATURE
    from kit.verify import verified_sums

    with writing(folder):
        sums = verified_sums(folder)
        if signing.wants_touch(key):
            click.echo("touch the security key if it asks for it", err=True)
        signature = signing.sign(sums, key)
        write_whole(folder / SIGNATURE, signature)
    click.echo(f"{folder / SIGNATURE}: by {signing.examine(sums, signature, None).key}")
