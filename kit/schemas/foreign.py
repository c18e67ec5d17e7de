"""Validation by a JSON Schema from a study's author, in bounded time.

The validator is native code, which no time limit of Python interrupts, and it evaluates a
referenced part again at every reference: a few lines can double the work thirty times over. So
this module estimates the work first, from the schema with references followed and the size of
the value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kit.schemas import compiled_problems, text

SIZE = 10_000
"""Values in a schema, each reference counted as its target. The shipped study's has 80."""
HEIGHT = 128
"""Levels of a schema, references followed: the stack of native code has a fixed size."""
WORK = 2_000_000
"""Size of the schema times values and characters of the document: at most a second or two."""
PATTERN_BYTES = 200_000
"""Size of a compiled pattern: the time per character grows with it."""
_PATTERN = 100
"""Values that one pattern counts as: it takes as long to compile."""
_REPEATED = 3
"""Factor for `unevaluated...`, which evaluates everything next to it again."""
_UNEVALUATED = {"unevaluatedProperties", "unevaluatedItems"}
_OUTSIDE = ("$ref", "$id", "id")
_NAMED = {"$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveAnchor", "$recursiveRef"}
# One spelling only: the validator could interpret another one differently.
_REFERENCE = re.compile(r"#(/([^%~/]|~[01])*)*")
_INDEX = re.compile(r"0|[1-9][0-9]{0,5}")


def problems_by_foreign(schema: Mapping[str, Any], document: object) -> list[str]:
    """Return "field: reason" lines by a schema from a study's author; none if valid.

    Raise ValueError for a schema that refers to anything but parts of itself, has circular
    references, is too large for the document, or is not a schema. Patterns take linear time.
    """
    import jsonschema_rs

    try:
        size, _ = _Sizes(schema).of(schema)
        if size * _values(document) > WORK:
            raise ValueError(
                f"the schema has {size:,} values with references followed, too many for a "
                f"document of {_values(document):,} values and characters: the product of both "
                f"may be {WORK:,}"
            )
        validator = jsonschema_rs.validator_for(
            dict(schema),
            retriever=_retrieve_nothing,
            pattern_options=jsonschema_rs.RegexOptions(size_limit=PATTERN_BYTES),
        )
        return compiled_problems(validator, document)
    except RecursionError as error:
        raise ValueError("not a JSON Schema: nested too deep") from error
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise ValueError(f"not a usable JSON Schema: {text(str(error))}") from error


class _Sizes:
    """Size and height of parts of a schema, references followed; each is computed once."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._known: dict[int, tuple[int, int]] = {}
        self._begun: set[int] = set()

    def of(self, value: object) -> tuple[int, int]:
        """Return size and height of a part. Raise ValueError for an outside or circular reference.

        Also raises it for a part that is too large or nested too deep.
        """
        if not isinstance(value, dict | list):
            return 1, 1
        if id(value) in self._known:
            return self._known[id(value)]
        self._begun.add(id(value))
        parts = [self.of(item) for item in (value if isinstance(value, list) else value.values())]
        size, factor = 1, 1
        if isinstance(value, dict):
            target = self._target(value)
            parts += [] if target is None else [self.of(target)]
            size += _PATTERN * _patterns(value)
            factor = _REPEATED if _UNEVALUATED.intersection(value) else 1
        size = factor * (size + sum(part for part, _ in parts))
        height = 1 + max((below for _, below in parts), default=0)
        if size > SIZE:
            raise ValueError(f"more than {SIZE:,} values with references followed")
        if height > HEIGHT:
            raise ValueError(f"nested deeper than {HEIGHT} with references followed")
        self._begun.discard(id(value))
        self._known[id(value)] = size, height
        return size, height

    def _target(self, value: Mapping[str, Any]) -> object:
        """Return the target of a part's reference; None without one. Raise ValueError."""
        for key in _OUTSIDE:
            if isinstance(value.get(key), str) and not value[key].startswith("#"):
                raise ValueError(f"{key} {value[key][:80]!r} leads out of it")
        for key in _NAMED.intersection(value):
            if isinstance(value[key], str | bool):
                raise ValueError(f"{key} is not supported: refer to a part as #/$defs/NAME")
        reference = value.get("$ref")
        if not isinstance(reference, str):
            return None
        if not _REFERENCE.fullmatch(reference):
            raise ValueError(f"$ref {reference[:80]!r}: refer to a part as #/$defs/NAME")
        found = _at(self._schema, reference)
        if found is None:
            raise ValueError(f"$ref {reference[:80]!r} leads nowhere")
        if id(found) in self._begun:
            raise ValueError(f"$ref {reference[:80]!r} leads back to where it stands")
        return found


def _at(schema: object, reference: str) -> object:
    """Return the part that a JSON pointer names; None where there is none."""
    found = schema
    for part in reference.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and key in found:
            found = found[key]
        elif isinstance(found, list) and _INDEX.fullmatch(key) and int(key) < len(found):
            found = found[int(key)]
        else:
            return None
    return found


def _patterns(value: Mapping[str, Any]) -> int:
    by_name = value.get("patternProperties")
    return isinstance(value.get("pattern"), str) + (
        len(by_name) if isinstance(by_name, dict) else 0
    )


def _values(document: object) -> int:
    """Return the number of values and characters in a document, whose depth YAML limits bound."""
    if isinstance(document, dict):
        return 1 + sum(len(key) + _values(item) for key, item in document.items())
    if isinstance(document, list):
        return 1 + sum(map(_values, document))
    return 1 + len(document) if isinstance(document, str) else 1


def _retrieve_nothing(uri: str) -> Any:
    raise ValueError(f"{uri[:80]} is not fetched")
