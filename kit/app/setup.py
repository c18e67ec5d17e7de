"""Setting up a machine: an engine, and tools to make bases that no registry serves."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from kit.engine.discover import discover
from kit.environment import variables
from kit.host.doctor.probe import reachability
from kit.host.setup import ensure_bootstrap_tools, setup
from kit.images.bases.candidates import bases_out_of_reach, parse_mirrors
from kit.pins.load import Pins

# Longer than doctor's timeout: setup installs packages if a registry does not answer.
_PATIENCE_S = 20.0


def set_up(pins: Pins, say: Callable[[str], None], stop: bool) -> None:
    """Find or start an engine, or with ``stop`` end the one that was started here.

    If no registry serves a base image, installs the tools that make one. Raises InputError for
    an invalid mirror, HostError if this machine cannot be set up.
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
