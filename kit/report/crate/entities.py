"""Entities of a crate and their parts; these functions clean the strings of ids and facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from kit.records.session import moment
from kit.report.text import plain

Entity = dict[str, Any]


def entity(identity: str, kind: str, /, **properties: Any) -> Entity:
    """Return an entity of that id and type, without its empty properties."""
    kept = {key: value for key, value in properties.items() if value not in (None, "", [], ())}
    return {"@id": identity, "@type": kind, **kept}


def ref(name: str) -> dict[str, str]:
    """Return a reference to the entity of that id."""
    return {"@id": name}


def refs(entities: Iterable[Entity]) -> list[dict[str, str]] | dict[str, str]:
    """Return references to entities; as RO-Crate requires, a single one is not in a list."""
    found = [ref(found["@id"]) for found in entities]
    return found[0] if len(found) == 1 else found


def fact(kind: str, name: str, value: object, /, **more: Any) -> Entity:
    """Return a name with its value, as an entity."""
    shown = plain(value) if isinstance(value, str) else value
    return entity(
        local(kind, name), "PropertyValue", name=plain(name), value=shown or "not known", **more
    )


def local(kind: str, name: str) -> str:
    """Return the id of something without an address."""
    return f"#{kind}/{safe(name)}"


def purl(name: str, version: str) -> str:
    """Return a package's id: an absolute URI without a registry."""
    return f"pkg:generic/{safe(name)}" + (f"@{safe(version)}" if plain(version) else "")


def safe(text: str) -> str:
    """Return text quoted for an id, of at most 200 characters before quoting."""
    return quote(plain(text, 200), safe="")


def when(text: str) -> str | None:
    """Return a time of the log to the second, in its time zone; None for other text."""
    try:
        found = moment(plain(text))
    except ValueError:
        return None
    return found.isoformat(timespec="seconds")


def day(text: str) -> str | None:
    """Return the day of a time of the log; None for other text."""
    found = when(text)
    return None if found is None else found[:10]


def compact(entities: Sequence[Entity]) -> list[Entity]:
    """Return the first entity of each id: the engine, or a component, may be there twice."""
    found: dict[str, Entity] = {}
    for one in entities:
        found.setdefault(one["@id"], one)
    return list(found.values())
