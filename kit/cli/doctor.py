"""``kit doctor``: can this machine run ``kit reproduce``?"""

from __future__ import annotations

import json

import click

from kit.errors import HostError, InputError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
@click.option("--budget", default="quick", show_default=True, help="The tier to check for.")
def doctor(as_json: bool, budget: str) -> int:
    """Check every requirement at once, each with its remedy."""
    from kit.environment import variables
    from kit.host.doctor import Needs, check, find_facts, ready, table, to_json
    from kit.images.bases.hostpython import find_host_python
    from kit.images.bases.mirrors import host_of, parse_mirrors
    from kit.images.stored import images_there
    from kit.pins.load import shipped_pins
    from kit.plan.resources import KEPT_FOR_HOST
    from kit.study.load import shipped_study
    from kit.study.model import CPU

    study, pins = shipped_study(), shipped_pins()
    protocol = study.protocol
    if budget not in protocol.tiers:
        raise InputError(
            f"--budget: {budget!r} is no tier", f"use one of {', '.join(protocol.tiers)}"
        )
    repeats = protocol.tiers[budget].repeats

    def python() -> str | None:
        found = find_host_python()
        return None if isinstance(found, str) else f"{found[0].version} ({found[0].executable})"

    mirrors = [host_of(mirror) for mirror in parse_mirrors((), variables())]
    sources = {
        role: tuple(dict.fromkeys((*mirrors, *(found.registry for found in candidates))))
        for role, candidates in pins.roles.items()
    }
    arms = [name for name, arm in study.arms.items() if arm.variant == CPU]
    facts = find_facts(
        sources, python, images_there=lambda engine: images_there(engine, study, arms)
    )
    needs = Needs(protocol.memory.of(repeats), protocol.disk_bytes[CPU], KEPT_FOR_HOST)
    rows = check(facts, needs)
    click.echo(json.dumps(to_json(rows), indent=2) if as_json else table(rows))
    return 0 if ready(rows) else HostError.exit_code
