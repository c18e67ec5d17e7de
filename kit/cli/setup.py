"""``kit setup``: the only command that changes the machine."""

from __future__ import annotations

import click

from kit.cli.options import renamed_flag


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
