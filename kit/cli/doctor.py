"""``kit doctor``: check whether this machine can run ``kit reproduce``."""

from __future__ import annotations

import click

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
