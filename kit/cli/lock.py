"""``kit lock``: make the pins, or check that everything pinned is still there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kit.cli.paths import SMALL
from kit.errors import ImageError, InputError, KitError

if TYPE_CHECKING:
    from kit.engine.protocol import Engine
    from kit.pins.check import Row


@click.command()
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
    from kit.app import lock as workplace
    from kit.pins.sources import RealSources

    if only_check and nuget_lock:
        raise InputError(
            "--nuget-lock: cannot be given with --check, which records nothing",
            "leave out one of the two",
        )
    if as_json and not only_check:
        raise InputError("--json: prints the rows of --check alone", "add --check")

    sources = RealSources(_engine(), nuget_source)
    if only_check:
        _print_check(workplace.check_all(sources), as_json)
        return
    for note in workplace.lock(sources, nuget_lock):
        click.echo(note, err=True)
    click.echo("kit/pins/pins.yaml, lists of wheels and compose.yaml are written")


def _engine() -> Engine | None:
    """None where there is none: what needs one is then not checked, and says so."""
    from kit.engine.discover import discover

    try:
        return discover()
    except KitError:
        return None


def _print_check(rows: Sequence[Row], as_json: bool) -> None:
    from tabulate import tabulate

    from kit.pins.check import BAD, OK

    if as_json:
        click.echo(json.dumps([vars(row) for row in rows], indent=2))
    else:
        counts = {state: sum(r.state == state for r in rows) for state in {r.state for r in rows}}
        said = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        shown = [[r.state, r.kind, r.name[:28], r.detail[:38]] for r in rows if r.state != OK]
        if shown:
            headers = ["state", "kind", "pin", "why"]
            click.echo(tabulate(shown, headers=headers, tablefmt="simple", disable_numparse=True))
        click.echo(f"{len(rows)} pins: {said}")
    bad = [f"{row.kind} {row.name}" for row in rows if row.state in BAD]
    if bad:
        raise ImageError(
            f"--check: {len(bad)} pins are gone or changed: {', '.join(bad[:5])}",
            "choose what replaces them in wanted.yaml and run kit lock",
        )
