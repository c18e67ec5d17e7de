"""Fidelity: per component, the version that the publication names and the one used.

Facts that only a build shows (which Python, which binding) come from the builder; the study
declares all others in its pins.yaml.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from kit.records.images import Component
from kit.study.folder import Declared

UNSTATED = "not stated"
_UNKNOWN = Declared("not known", False, "the study's pins.yaml does not say what its images hold")


@dataclass(frozen=True)
class Part:
    """A component as found or made by the builder; ``details`` as for ``Component``."""

    got: str
    exact: bool
    why: str
    details: tuple[str, ...] = ()


def fidelity(
    environment: Mapping[str, str],
    declared: Mapping[str, Declared],
    parts: Mapping[str, Part | None],
    variants: Collection[str] = (),
    facts: Mapping[str, str] | None = None,
) -> tuple[Component, ...]:
    """Return one row per component: those of the publication first, in its order.

    ``environment`` maps a component to what the publication names. ``parts`` override the
    study's declarations, which cannot make a substitute exact; a part that is None is not in
    these images and has no row. ``variants`` are those of the arms that were built. ``facts``
    are the values of ``{name}`` in the declarations. A component that neither the builder nor
    the study knows counts as substituted.
    """
    rows = []
    for name in dict.fromkeys((*environment, *declared, *parts)):
        wanted = environment.get(name, UNSTATED)
        if name in parts:
            part = parts[name]
        else:
            part = _part(declared.get(name, _UNKNOWN), variants, facts or {})
        if part is not None:
            rows.append(Component(name, wanted, part.got, part.exact, part.why, part.details))
    return tuple(rows)


def _part(declared: Declared, variants: Collection[str], facts: Mapping[str, str]) -> Part | None:
    """Return the study's declaration for the built variants; None if it is for others only."""
    texts = [text for variant, text in declared.variants.items() if variant in variants]
    if declared.variants and not texts:
        return None
    got = declared.got
    for name, value in {**facts, "variants": " and ".join(texts)}.items():
        got = got.replace(f"{{{name}}}", value)
    return Part(got, declared.exact, declared.why)
