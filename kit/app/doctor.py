"""Examining a machine: whether it can run the shipped study."""

from __future__ import annotations

from kit.environment import variables
from kit.errors import InputError
from kit.host.doctor import Needs, Row, check, find_facts
from kit.images.bases.hostpython import find_host_python
from kit.images.bases.mirrors import host_of, parse_mirrors
from kit.images.stored import images_there
from kit.pins.load import Pins
from kit.plan.resources import KEPT_FOR_HOST
from kit.study.model import CPU, Study


def examine(study: Study, pins: Pins, budget: str) -> tuple[Row, ...]:
    """Return every requirement of the study's CPU arms with that tier, and whether it is met.

    Raises InputError for an unknown tier and for an invalid mirror.
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
