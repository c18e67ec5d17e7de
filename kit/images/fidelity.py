"""Fidelity: per component, what the study wants and what was got.

What only building tells (which Python, which binding) comes from the builder; everything else
is the study's own word, in its pins.yaml.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from kit.records.images import Component
from kit.study.pins import Vouched

UNSTATED = "not stated"
_UNKNOWN = Vouched("not known", False, "the study's pins.yaml does not say what its images hold")


@dataclass(frozen=True)
class Part:
    """What was found or made for a component; ``details`` as for ``Component``."""

    got: str
    exact: bool
    why: str
    details: tuple[str, ...] = ()


def fidelity(
    environment: Mapping[str, str],
    vouched: Mapping[str, Vouched],
    parts: Mapping[str, Part | None],
    variants: Collection[str] = (),
    facts: Mapping[str, str] | None = None,
) -> tuple[Component, ...]:
    """Return one row per component: those of the publication first, in its order.

    ``environment`` maps a component to what the publication names. ``parts`` come before the
    study's word, which cannot make a substitute exact; a part that is None is not in these
    images and has no row. ``variants`` are those of the arms that were built. ``facts`` are
    what ``{name}`` in the study's words stands for. A component that neither the builder
    nor the study knows counts as substituted.
    """
    rows = []
    for name in dict.fromkeys((*environment, *vouched, *parts)):
        wanted = environment.get(name, UNSTATED)
        if name in parts:
            part = parts[name]
        else:
            part = _part(vouched.get(name, _UNKNOWN), variants, facts or {})
        if part is not None:
            rows.append(Component(name, wanted, part.got, part.exact, part.why, part.details))
    return tuple(rows)


def _part(vouched: Vouched, variants: Collection[str], facts: Mapping[str, str]) -> Part | None:
    """The study's word for the variants that were built; None where it is on others."""
    words = [word for variant, word in vouched.variants.items() if variant in variants]
    if vouched.variants and not words:
        return None
    got = vouched.got
    for name, value in {**facts, "variants": " and ".join(words)}.items():
        got = got.replace(f"{{{name}}}", value)
    return Part(got, vouched.exact, vouched.why)
