"""The published JSON Schemas, and the one place that validates against them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from kit.errors import InputError


@cache
def schema(name: str) -> dict[str, Any]:
    """The schema of that name, such as spec, record, header, run, study or results."""
    text = (files(__name__) / f"{name}.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def problems(name: str, document: object) -> list[str]:
    """Every way the document breaks the schema, as "field: reason" lines."""
    if _holds(name, document):
        return []
    try:
        # Python's patterns let a line end follow the text's end; the compiled ones do not.
        return problems_by(schema(name), document) or problems_by_foreign(schema(name), document)
    except ValueError as error:  # half a character in a field's name
        return [f"$: {error}"]


def _holds(name: str, document: object) -> bool:
    """Whether it surely holds; False leaves the answer to the validator that has the words.

    A compiled validator: a log of a thousand runs is read in a second instead of seven.
    """
    try:
        return bool(_compiled(name).is_valid(document))
    except ValueError:  # values that JSON does not have, which YAML can give
        return False


@cache
def _compiled(name: str) -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(schema(name))


def problems_by(schema: Mapping[str, Any], document: object) -> list[str]:
    """The same for a schema that is not one of the kit's."""
    import jsonschema

    validator = jsonschema.Draft202012Validator(schema)
    try:
        found = sorted(
            validator.iter_errors(document), key=lambda e: [str(p) for p in e.absolute_path]
        )
    except RecursionError:
        return ["$: nested too deep"]
    return [
        _text(f"{error.json_path.removeprefix('$.')}: {_short(_message(error))}") for error in found
    ]


def _message(error: Any) -> str:
    """The validator's words, except for a field that the schema forbids by ``{"not": {}}``."""
    forbidden = error.validator == "not" and error.validator_value == {}
    return "not allowed here" if forbidden else str(error.message)


def problems_by_foreign(schema: Mapping[str, Any], document: object) -> list[str]:
    """Return the same for a schema of others, which may refer to nothing but itself.

    Raise ValueError for one that refers to something else, or is no schema. The compiled
    validator bounds how long a pattern may search, and ends where a schema repeats itself.
    """
    import jsonschema_rs

    try:
        _refuse_outside(schema)
        validator = jsonschema_rs.validator_for(dict(schema), retriever=_retrieve_nothing)
        found = list(validator.iter_errors(document))
    except RecursionError as error:
        raise ValueError("not a JSON Schema: nested too deep") from error
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise ValueError(f"not a usable JSON Schema: {_text(str(error))}") from error
    lines = (f"{_path(error.instance_path)}: {_short(error.message)}" for error in found)
    return sorted(_text(line) for line in lines)


def _path(parts: Sequence[str | int]) -> str:
    written = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return written.removeprefix(".") or "$"


_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef", "$id", "id")


def _refuse_outside(value: object) -> None:
    """Raise ValueError for a reference that does not stay in the document."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in _REFERENCES and isinstance(item, str) and not item.startswith("#"):
                raise ValueError(f"{key} {item[:80]!r} leads out of it")
            _refuse_outside(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_outside(item)


def _retrieve_nothing(uri: str) -> Any:
    raise ValueError(f"{uri[:80]} is not fetched")


def check(name: str, document: object, where: str, remedy: str) -> None:
    """Raise InputError naming ``where`` and every broken field."""
    broken = problems(name, document)
    if broken:
        raise InputError(f"{where}: {'; '.join(broken[:5])}", remedy)


def _text(line: str) -> str:
    """A field's name may hold half a character, which no file and no terminal takes."""
    return line.encode("utf-8", "backslashreplace").decode()


def _short(message: str) -> str:
    return message if len(message) <= 160 else message[:157] + "..."
