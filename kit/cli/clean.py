"""``kit clean``: remove what the kit left in the engine's store, and nothing else."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # heavy: `kit --help` must not wait for them
    from kit.clean import Kept, Plan
    from kit.engine.holdings import Held


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
def clean(dry_run: bool) -> None:
    """Remove the kit's own containers, volumes and images; say how much space that frees.

    Results folders stay. Containers of a session that is running now are removed too.
    """
    from kit import clean as cleaning
    from kit.engine.discover import discover
    from kit.engine.holdings import OWNER
    from kit.engine.protocol import LABEL

    engine = discover()
    holdings = engine.holdings(LABEL, OWNER)
    plan = cleaning.make_plan(holdings)
    if dry_run:
        for held in plan.remove:
            _say("would remove", held)
    else:
        plan = cleaning.clean(engine, holdings, plan, lambda held: _say("removed", held))
    for line in _kept_lines(plan.kept):
        click.echo(line)
    click.echo(_sum(plan, "would free" if dry_run else "freed"))


def _say(done: str, held: Held) -> None:
    """One line; nothing on unnamed images, which a build leaves by the dozen."""
    from kit.clean import title
    from kit.engine.holdings import HeldContainer, HeldImage

    if isinstance(held, HeldImage) and not held.names:
        return
    running = ", running" if isinstance(held, HeldContainer) and held.running else ""
    click.echo(f"{done} {title(held)} ({_size(held.size_bytes)}{running})")


def _kept_lines(kept: tuple[Kept, ...]) -> list[str]:
    """One line each; unnamed images together, by reason."""
    from kit.clean import title
    from kit.engine.holdings import HeldImage

    lines: list[str] = []
    unnamed: Counter[str] = Counter()
    for entry in kept:
        if isinstance(entry.held, HeldImage) and not entry.held.names:
            unnamed[entry.why] += 1
        else:
            lines.append(f"kept {title(entry.held)}: {entry.why}")
    return lines + [f"kept {_count(n, 'unnamed image')}: {why}" for why, n in unnamed.items()]


def _sum(plan: Plan, verb: str) -> str:
    from kit.engine.holdings import HeldContainer, HeldImage, HeldVolume

    if not plan.remove:
        return "nothing to remove"
    kinds = ((HeldContainer, "container"), (HeldVolume, "volume"), (HeldImage, "image"))
    counts = (_count(sum(isinstance(h, k) for h in plan.remove), name) for k, name in kinds)
    unnamed = sum(isinstance(h, HeldImage) and not h.names for h in plan.remove)
    return (
        f"{verb} {_size(plan.freed_bytes)}, layers in common counted once:"
        f" {', '.join(counts)} ({unnamed} unnamed, the steps of builds)"
    )


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"


def _size(count: int) -> str:
    """Bytes for people, in powers of 1000 as the engine prints them."""
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} GB"
