"""Commands on the machine: ``kit doctor`` checks it, ``kit setup`` alone changes it."""

from __future__ import annotations

import click

from kit.cli.options import renamed_flag
from kit.errors import HostError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
@click.option("--budget", default="quick", show_default=True, help="The tier to check for.")
def doctor(as_json: bool, budget: str) -> int:
    """Check every requirement at once, each with its remedy."""
    import json

    from kit.app.machine import examine
    from kit.host.doctor import ready, table, to_json
    from kit.pins.load import shipped_pins
    from kit.study.load import shipped_study

    rows = examine(shipped_study(), shipped_pins(), budget)
    click.echo(json.dumps(to_json(rows), indent=2) if as_json else table(rows))
    return 0 if ready(rows) else HostError.exit_code


@click.command()
@click.option("--stop-engine", is_flag=True, help="End the engine that kit setup started.")
@renamed_flag("--stop", "--stop-engine")
def setup(stop_engine: bool) -> None:
    """Find a container engine; on Debian or Ubuntu, as root, install and start one.

    Also installs mmdebstrap where no image registry can be reached and base
    images must be made here.
    """
    from kit.app.machine import set_up
    from kit.cli.process import say
    from kit.pins.load import shipped_pins

    set_up(shipped_pins(), say, stop_engine)
