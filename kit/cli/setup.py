"""``kit setup``: the only command that changes the machine."""

from __future__ import annotations

from functools import partial

import click

# More patience than doctor's: what does not answer has packages installed for it.
_PATIENCE_S = 20.0


@click.command()
@click.option("--stop", is_flag=True, help="End the engine that kit setup started.")
def setup(stop: bool) -> None:
    """Find a container engine; on Debian or Ubuntu, as root, install and start one.

    Also installs mmdebstrap where no image registry can be reached and base
    images must be made here.
    """
    from kit.cli.runtime import say
    from kit.engine.discover import discover
    from kit.environment import variables
    from kit.host.doctor.reach import reachability
    from kit.host.setup import ensure_bootstrap_tools
    from kit.host.setup import setup as set_up
    from kit.images.bases.candidates import bases_out_of_reach
    from kit.images.bases.mirrors import parse_mirrors
    from kit.pins.load import shipped_pins

    mirrors = parse_mirrors((), variables())
    set_up(say, stop=stop)
    if stop:
        return
    reach = partial(reachability, timeout_s=_PATIENCE_S)
    missing = bases_out_of_reach(discover(), shipped_pins(), reach, mirrors)
    if missing:
        say(f"no registry gives {', '.join(missing)}: base images will be made here")
        ensure_bootstrap_tools(say)
