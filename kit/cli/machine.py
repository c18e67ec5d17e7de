"""Commands on the machine: ``kit doctor``, ``kit setup`` and ``kit clean``.

Only setup changes the machine; clean removes the kit's own objects from the engine's store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from kit.cli.options import renamed_flag
from kit.errors import HostError

if TYPE_CHECKING:  # heavy: `kit --help` must not wait for them
    from kit.app.clean import KeptObject, Living, RemovalPlan
    from kit.engine.objects import EngineObject


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


@click.command(short_help="Find an engine, or install and start one.")
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


@click.command(short_help="Remove what kit created in the engine.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
def clean(dry_run: bool) -> None:
    """Remove the kit's own containers, volumes and images; say how much space that frees.

    Results folders stay. So do, while another kit measures or builds on this machine, its
    containers and volumes, and all images. What kits of other machines use is not known: on an
    engine that is shared with them, containers that are running now are removed too.
    """
    from kit.app.clean import plan_removal, remove_planned
    from kit.engine.discover import discover
    from kit.engine.objects import OWNER
    from kit.engine.protocol import LABEL

    engine = discover()
    with _living() as living:
        holdings = engine.objects(LABEL, OWNER)
        plan = plan_removal(holdings, living=living)
        if dry_run:
            for held in plan.remove:
                _say("would remove", held)
        else:
            plan = remove_planned(engine, holdings, plan, lambda held: _say("removed", held))
    for line in _kept_lines(plan.kept):
        click.echo(line)
    click.echo(_sum(plan, "would free" if dry_run else "freed"))


@contextmanager
def _living() -> Iterator[Living | None]:
    """Hold the machine's lock and yield None, or yield the kit that holds it."""
    from kit.app.clean import Living
    from kit.cli.process import say
    from kit.errors import LockedError
    from kit.host.locks import Locks, lock_namespace_id

    locks = Locks(wait=False, say=say)
    living = None
    try:
        locks.machine()
    except LockedError as error:
        living = Living(lock_namespace_id(), error.holder)
    try:
        yield living
    finally:
        locks.release()


def _say(done: str, held: EngineObject) -> None:
    """Print one line per object; none for unnamed images, since a build leaves dozens."""
    from rich.filesize import decimal

    from kit.app.clean import title
    from kit.engine.objects import ContainerEntry, ImageEntry

    if isinstance(held, ImageEntry) and not held.names:
        return
    running = ", running" if isinstance(held, ContainerEntry) and held.running else ""
    click.echo(f"{done} {title(held)} ({decimal(held.size_bytes)}{running})")


def _kept_lines(kept: tuple[KeptObject, ...]) -> list[str]:
    """Return one line per kept object; unnamed images are counted by reason."""
    from kit.app.clean import title
    from kit.engine.objects import ImageEntry

    lines: list[str] = []
    unnamed: Counter[str] = Counter()
    for entry in kept:
        if isinstance(entry.held, ImageEntry) and not entry.held.names:
            unnamed[entry.why] += 1
        else:
            lines.append(f"kept {title(entry.held)}: {entry.why}")
    return lines + [f"kept {_count(n, 'unnamed image')}: {why}" for why, n in unnamed.items()]


def _sum(plan: RemovalPlan, verb: str) -> str:
    from rich.filesize import decimal

    from kit.engine.objects import ContainerEntry, ImageEntry, VolumeEntry

    if not plan.remove:
        return "nothing to remove"
    kinds = ((ContainerEntry, "container"), (VolumeEntry, "volume"), (ImageEntry, "image"))
    counts = (_count(sum(isinstance(h, k) for h in plan.remove), name) for k, name in kinds)
    unnamed = sum(isinstance(h, ImageEntry) and not h.names for h in plan.remove)
    return (
        f"{verb} {decimal(plan.freed_bytes)}, layers in common counted once:"
        f" {', '.join(counts)} ({unnamed} unnamed, the steps of builds)"
    )


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"
