"""The published JSON Schemas, and validation against them and against other schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any

from kit.errors import InputError

ERRORS = 1_000
"""Maximum of problems to collect; a message shows five."""


@cache
def schema(name: str) -> dict[str, Any]:
    """Return kit's JSON Schema of that name, such as spec, record, header, run or results."""
    text = (files(__name__) / f"{name}.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def problems(name: str, document: object) -> list[str]:
    """Return "field: reason" lines on how the document breaks kit's schema; [] if valid.

    ``name`` is the schema's, such as "spec".
    """
    if _holds(name, document):
        return []
    try:
        # Python's patterns let a line end follow the text's end; the compiled ones do not.
        return problems_by(schema(name), document) or compiled_problems(_compiled(name), document)
    except ValueError as error:  # an unpaired surrogate in a field's name
        return [f"$: {error}"]


def _holds(name: str, document: object) -> bool:
    """Return True for a document that is certainly valid; False leaves it to the slow validator.

    The compiled validator reads a log of a thousand runs in one second instead of seven.
    """
    try:
        return bool(_compiled(name).is_valid(document))
    except ValueError:  # values that YAML has and JSON does not
        return False


@cache
def _compiled(name: str) -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(schema(name))


def problems_by(schema: Mapping[str, Any], document: object) -> list[str]:
    """Return the first ``ERRORS`` "field: reason" lines by one of kit's schemas, by field."""
    try:
        found = sorted(
            islice(_validator()(schema).iter_errors(document), ERRORS),
            key=lambda error: [str(part) for part in error.absolute_path],
        )
    except RecursionError:
        return ["$: nested too deep"]
    return [
        text(f"{error.json_path.removeprefix('$.')}: {short(_message(error))}") for error in found
    ]


def _message(error: Any) -> str:
    """Return the validator's message, except for a field that ``{"not": {}}`` forbids."""
    forbidden = error.validator == "not" and error.validator_value == {}
    return "not allowed here" if forbidden else str(error.message)


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator, validators

    # The library compares every pair of items where the items cannot be sorted.
    extend: Any = validators.extend  # untyped
    return extend(Draft202012Validator, {"uniqueItems": _unique_items})


def _unique_items(
    _validator: object, wanted: bool, items: object, _schema: object
) -> Iterator[Exception]:
    from jsonschema import ValidationError

    if wanted and isinstance(items, list):
        written = {json.dumps(item, sort_keys=True, default=str) for item in items}
        if len(written) < len(items):
            yield ValidationError(f"{items!r} has non-unique elements")


def compiled_problems(validator: Any, document: object) -> list[str]:
    """Return the first ``ERRORS`` lines "field: reason" of a compiled validator, sorted.

    Raise ValueError for values that JSON does not have.
    """
    found = islice(validator.iter_errors(document), ERRORS)
    return sorted(text(f"{_path(error.instance_path)}: {short(error.message)}") for error in found)


def _path(parts: Sequence[str | int]) -> str:
    written = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return written.removeprefix(".") or "$"


def check(name: str, document: object, where: str, remedy: str) -> None:
    """Raise InputError if the document breaks kit's schema of that name.

    The message names ``where`` and the first five broken fields.
    """
    broken = problems(name, document)
    if broken:
        raise InputError(f"{where}: {'; '.join(broken[:5])}", remedy)


def text(line: str) -> str:
    """Return a line of text, as from a field's name, with unpaired surrogates escaped."""
    return line.encode("utf-8", "backslashreplace").decode()


def short(message: str) -> str:
    """Return a validator's message, cut to 160 characters."""
    return message if len(message) <= 160 else message[:157] + "..."
