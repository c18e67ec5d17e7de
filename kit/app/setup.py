"""Setting a machine up: an engine, and the tools for bases that no registry gives."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from kit.engine.discover import discover
from kit.environment import variables
from kit.host.doctor.reach import reachability
from kit.host.setup import ensure_bootstrap_tools, setup
from kit.images.bases.candidates import bases_out_of_reach
from kit.images.bases.mirrors import parse_mirrors
from kit.pins.load import Pins

# More patience than doctor's: what does not answer has packages installed for it.
_PATIENCE_S = 20.0


def set_up(pins: Pins, say: Callable[[str], None], stop: bool) -> None:
    """Find or start an engine, or with ``stop`` end the one that was started here.

    Where no registry gives a base image, what makes one is installed. Raises InputError for
    mirrors that are none, HostError where this machine cannot be set up.
    """
    mirrors = parse_mirrors((), variables())
    setup(say, stop=stop)
    if stop:
        return
    reach = partial(reachability, timeout_s=_PATIENCE_S)
    missing = bases_out_of_reach(discover(), pins, reach, mirrors)
    if missing:
        say(f"no registry gives {', '.join(missing)}: base images will be made here")
        ensure_bootstrap_tools(say)
