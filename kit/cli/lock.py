"""``kit lock``: make the pins, or check that they are still available."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kit.cli.values import SMALL
from kit.errors import InputError

if TYPE_CHECKING:
    from kit.pins.check import PinStatus


@click.command(short_help="Generate the pins in a checkout, or check them.")
@click.option("--check", "only_check", is_flag=True, help="Change nothing; report bit rot.")
@click.option("--json", "as_json", is_flag=True, help="With --check: print the rows as JSON.")
@click.option(
    "--nuget-source", default="", metavar="FOLDER", help="Feed that has the NuGet packages."
)
@click.option(
    "--nuget-lock",
    type=SMALL,
    help="packages.lock.json of an exact build: record its hashes.",
)
def lock(only_check: bool, as_json: bool, nuget_source: str, nuget_lock: Path | None) -> None:
    """Make pins.yaml, the lists of wheels and compose.yaml from wanted.yaml.

    With --check every pin that can be reached is compared with what is there now.
    A pin that is gone or changed ends with exit code 4; one that cannot be reached,
    or still serves though its name moved, does not.
    """
    from kit.app.lock import check_all, real_sources, refuse_rot, write_pins

    if only_check and nuget_lock:
        raise InputError(
            "--nuget-lock: cannot be given with --check, which records nothing",
            "leave out one of the two",
        )
    if as_json and not only_check:
        raise InputError("--json: prints the rows of --check alone", "add --check")

    sources = real_sources(nuget_source)
    if only_check:
        rows = check_all(sources)
        click.echo(_json(rows) if as_json else _table(rows))
        refuse_rot(rows)
        return
    for note in write_pins(sources, nuget_lock):
        click.echo(note, err=True)
    click.echo("kit/pins/pins.yaml, lists of wheels and compose.yaml are written")


def _json(rows: Sequence[PinStatus]) -> str:
    import json

    return json.dumps([vars(row) for row in rows], indent=2)


def _table(rows: Sequence[PinStatus]) -> str:
    """Return a table of the pins that are not "ok", and a line with the count per state."""
    from tabulate import tabulate

    from kit.pins.check import OK

    counts = {state: sum(r.state == state for r in rows) for state in {r.state for r in rows}}
    summary = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    end = f"{len(rows)} pins: {summary}"
    shown = [[r.state, r.kind, r.name[:28], r.detail[:38]] for r in rows if r.state != OK]
    if not shown:
        return end
    headers = ["state", "kind", "pin", "why"]
    table = tabulate(shown, headers=headers, tablefmt="simple", disable_numparse=True)
    return f"{table}\n{end}"
