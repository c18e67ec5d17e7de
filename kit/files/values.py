"""Values of dataclasses, as they are written to files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

_ATOMS = (str, int, float, type(None))


def values_of(instance: Any) -> dict[str, Any]:
    """Return the fields of a dataclass and of those inside it as new dicts, lists and tuples.

    It is ``dataclasses.asdict`` for values that JSON has: that one deep-copies every text and
    number before Python 3.12, which took most of the time to write a line of the log.
    """
    return {name: _value(getattr(instance, name)) for name in _names(instance.__class__)}


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _value(value: Any) -> Any:
    if isinstance(value, _ATOMS):
        return value
    if isinstance(value, Mapping):
        return {key: _value(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(map(_value, value))
    if isinstance(value, list):
        return list(map(_value, value))
    if is_dataclass(value) and not isinstance(value, type):
        return values_of(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
