"""What entities of a crate are made of; strings are made safe where they come in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from kit.records.session import moment
from kit.report.text import plain

Entity = dict[str, Any]


def entity(identity: str, kind: str, /, **properties: Any) -> Entity:
    """An entity of that id and type, without the properties that hold nothing."""
    kept = {key: value for key, value in properties.items() if value not in (None, "", [], ())}
    return {"@id": identity, "@type": kind, **kept}


def ref(name: str) -> dict[str, str]:
    """A reference to the entity of that id."""
    return {"@id": name}


def refs(entities: Iterable[Entity]) -> list[dict[str, str]] | dict[str, str]:
    """References to them; one alone is not in a list, as RO-Crate wants it."""
    found = [ref(found["@id"]) for found in entities]
    return found[0] if len(found) == 1 else found


def fact(kind: str, name: str, value: object, /, **more: Any) -> Entity:
    """A name with its value, as an entity of its own."""
    shown = plain(value) if isinstance(value, str) else value
    return entity(
        local(kind, name), "PropertyValue", name=plain(name), value=shown or "not known", **more
    )


def local(kind: str, name: str) -> str:
    """The id of something that has no address of its own."""
    return f"#{kind}/{safe(name)}"


def purl(name: str, version: str) -> str:
    """A package's id that is an absolute URI and names no registry."""
    return f"pkg:generic/{safe(name)}" + (f"@{safe(version)}" if plain(version) else "")


def safe(text: str) -> str:
    """The text as part of an id."""
    return quote(plain(text, 200), safe="")


def when(text: str) -> str | None:
    """A time of the log to the second, in UTC; None where it is not a time."""
    try:
        found = moment(plain(text))
    except ValueError:
        return None
    return found.isoformat(timespec="seconds")


def day(text: str) -> str | None:
    """The day of such a time."""
    found = when(text)
    return None if found is None else found[:10]


def compact(entities: Sequence[Entity]) -> list[Entity]:
    """Each id once: an engine may be named twice, and a component be wanted by two arms."""
    found: dict[str, Entity] = {}
    for one in entities:
        found.setdefault(one["@id"], one)
    return list(found.values())
