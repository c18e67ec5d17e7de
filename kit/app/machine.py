"""The machine: whether it can run the shipped study, and setting it up.

Setting up gives it an engine, and tools to make bases that no registry serves.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from kit.engine.discover import discover
from kit.environment import variables
from kit.errors import InputError
from kit.host.doctor import Needs, Requirement, check, find_facts
from kit.host.doctor.probe import reachability
from kit.host.setup import ensure_bootstrap_tools, setup
from kit.images.bases.candidates import bases_out_of_reach, host_of, parse_mirrors
from kit.images.bases.hostpython import find_host_python
from kit.images.stored import images_there
from kit.pins.load import Pins
from kit.plan.resources import KEPT_FOR_HOST
from kit.study.model import CPU, Study

# Longer than doctor's timeout: setup installs packages if a registry does not answer.
_PATIENCE_S = 20.0


def examine(study: Study, pins: Pins, budget: str) -> tuple[Requirement, ...]:
    """Return every requirement for measuring the study's CPU arms, and whether it is met here.

    ``budget`` is a tier of the study. Raises InputError for an unknown tier and for an invalid
    mirror.
    """
    protocol = study.protocol
    if budget not in protocol.tiers:
        raise InputError(
            f"--budget: unknown tier {budget!r}", f"use one of {', '.join(protocol.tiers)}"
        )
    memory_bytes = protocol.memory.of(protocol.tiers[budget].repeats)
    arms = [name for name, arm in study.arms.items() if arm.variant == CPU]
    facts = find_facts(
        _sources(pins), _host_python, images_there=lambda engine: images_there(engine, study, arms)
    )
    return check(facts, Needs(memory_bytes, protocol.disk_bytes[CPU], KEPT_FOR_HOST))


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


def _sources(pins: Pins) -> dict[str, tuple[str, ...]]:
    """Return, by role, the hosts to query for its base: mirrors, then its registries."""
    mirrors = [host_of(mirror) for mirror in parse_mirrors((), variables())]
    return {
        role: tuple(dict.fromkeys((*mirrors, *(found.registry for found in candidates))))
        for role, candidates in pins.roles.items()
    }


def _host_python() -> str | None:
    found = find_host_python()
    return None if isinstance(found, str) else f"{found[0].version} ({found[0].executable})"
