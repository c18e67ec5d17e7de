"""Commands for outsiders: ``kit verify`` checks a results folder, ``kit sign`` vouches for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kit.cli.values import FOLDER, SMALL, SMALL_FILE

if TYPE_CHECKING:  # heavy: `kit --help` must not wait for them
    from kit.results.sign import Signers


@click.command(short_help="Check a results folder independently, without an engine.")
@click.argument("folder", type=FOLDER)
@click.option(
    "--allowed-signers",
    type=SMALL,
    metavar="FILE",
    help="Want a signature by one of these: a file as ssh-keygen(1) and git use it.",
)
@click.option(
    "--signer",
    metavar="IDENTITY",
    help="Want the signature to be by this one of --allowed-signers.",
)
def verify(folder: Path, allowed_signers: Path | None, signer: str | None) -> None:
    """Check the results in FOLDER as an outsider, without an engine.

    Sums of all files, the chain of the run log, the plan made again from its seed and command,
    every record against its spec, and every report derived again. Words, integers and structure
    must be equal; other numbers may differ by 1e-9 of themselves, as another Python or SciPy
    rounds them. Plots are compared by what they show: the same letters, markers, lines and
    colours, each within 1 point of its place, and in a PNG the same pixels. What differs so
    little is named. Whatever was changed is named; exit code 8. What could not be compared is
    NOT VERIFIED; exit code 9.

    A signature (see `kit sign`) must fit SHA256SUMS. With --allowed-signers it must be there,
    and by one of them; else exit code 8. It says who vouches for the files, not that what they
    say is true.
    """
    from kit.errors import TamperedError, UnverifiedError
    from kit.report.text import plain
    from kit.verify import verify_folder
    from kit.verify.result import State
    from kit.verify.sums import SIGNATURE_CHECK

    findings = verify_folder(folder, _signers(allowed_signers, signer))
    for found in findings:
        good = "" if found.wrong or found.unverified else found.good
        click.echo(f"{found.state.value:12}  {found.what}" + (f": {plain(good)}" if good else ""))
        for line in (*found.wrong, *found.unverified):
            click.echo(f"{'':14}{plain(line)}")
    wrong = [found for found in findings if found.state is State.WRONG]
    if [found.what for found in wrong] == [SIGNATURE_CHECK]:
        raise TamperedError(
            f"{folder}: {SIGNATURE_CHECK}: {wrong[0].wrong[0]}",
            "take folder and signature from whoever signed them; `kit sign` signs the folder again",
        )
    if wrong:
        raise TamperedError(
            f"{folder}: {', '.join(found.what for found in wrong)}: not as the session wrote it",
            next(
                (found.remedy for found in wrong if found.remedy),
                "take the folder as it was written; `kit report` makes reports again from its log",
            ),
        )
    unverified = [found for found in findings if found.state is State.UNVERIFIED]
    if unverified:
        raise UnverifiedError(
            f"{folder}: {', '.join(found.what for found in unverified)}: not verified, "
            f"{unverified[0].unverified[0]}",
            "finish the session (`--resume`), or verify with the versions that wrote the folder",
        )


@click.command(short_help="Add an SSH signature to results.")
@click.argument("folder", type=FOLDER)
@click.option(
    "--key", required=True, type=SMALL,
    help="A private SSH key, or the public key of one that ssh-agent holds.",
)  # fmt: skip
def sign(folder: Path, key: Path) -> None:
    """Sign the results in FOLDER: an SSH signature of SHA256SUMS, in SHA256SUMS.sig.

    The folder is verified first, and one that does not hold is not signed (exit code 8). A
    signature that was there is replaced. `kit verify --signer` checks it; it says who vouches
    for the files, not that what they say is true.
    """
    from kit.files.write import write_atomic
    from kit.host.locks import writing
    from kit.results import SIGNATURE
    from kit.results.sign import examine, sign_sums, wants_touch
    from kit.verify import verified_sums

    with writing(folder):
        sums = verified_sums(folder)
        if wants_touch(key):
            click.echo("touch the security key if it asks for it", err=True)
        signature = sign_sums(sums, key)
        write_atomic(folder / SIGNATURE, signature)
    click.echo(f"{folder / SIGNATURE}: by {examine(sums, signature, None).key}")


def _signers(allowed: Path | None, signer: str | None) -> Signers | None:
    """Return the accepted signers; None without --allowed-signers. Raises InputError."""
    from kit.errors import InputError
    from kit.files.plain import read_named
    from kit.results.sign import Signers

    if signer is not None and (allowed is None or not signer.strip()):
        raise InputError(
            f"--signer {signer!r}: names nobody without --allowed-signers, or with an empty name",
            "give both: --signer alice@example.org --allowed-signers FILE",
        )
    return None if allowed is None else Signers(read_named(allowed, SMALL_FILE), signer or "")
