"""The reference of the file formats, generated from their JSON schemas."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

SCHEMAS = Path(__file__).parents[3] / "kit" / "schemas"
FORMATS = {
    "study": "A study",
    "claims": "A study",
    "study-pins": "A study",
    "spec": "A run",
    "record": "A run",
    "results": "Results",
    "header": "The log",
    "plan": "The log",
    "fixed-plan": "The log",
    "run": "The log",
    "look": "The log",
    "executable": "The log",
    "bundle": "A bundle",
    "pins": "Pins of the kit",
}
"""Name of each schema in kit/schemas, in the order of the page, and the part it is shown in."""

HEAD = """\
# File formats

Made by `python -m tests.lint.reference` from the JSON schemas in `kit/schemas/`, by which kit
checks every file that it reads. `[]` after a name means each item of a list, `NAME` any name. Names
say their unit (`_s` seconds, `_bytes`, `_percent`). [Writing a study](studies.md) and
[verdicts](verdicts.md#what-is-in-a-results-folder) introduce these files; `runlog.jsonl` has one
line of JSON per entry of the log. A larger number of `schema` means a newer form; kit names the
version that reads it when it cannot."""


def formats() -> str:
    """Return every schema as markdown: a table with a row per key."""
    parts, part = [HEAD], ""
    for name, shown_in in FORMATS.items():
        schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
        if shown_in != part:
            parts.append(f"## {shown_in}")
            part = shown_in
        parts += [f"### {schema['title']}", f"`kit/schemas/{name}.schema.json`"]
        if "description" in schema:
            parts.append(_sentence(schema["description"]))
        tables = _Tables(schema)
        parts.append(tables.table(schema))
        for shared in tables.shared:
            parts += [f"Keys of each `{shared}` above:", tables.table(schema["$defs"][shared])]
    return "\n\n".join(parts) + "\n"


class _Tables:
    """The tables of one schema: its own, and one for each part that several keys share."""

    def __init__(self, schema: Schema) -> None:
        self._parts: dict[str, Schema] = schema.get("$defs", {})
        named = Counter(re.findall(r'"#/\$defs/(\w+)"', json.dumps(schema)))
        self.shared = [
            name for name, part in self._parts.items() if named[name] > 1 and "properties" in part
        ]

    def table(self, schema: Schema) -> str:
        """Return the rows of all keys of a schema, with those of what is inside it."""
        head = ["| key | value | needed | meaning |", "|---|---|---|---|"]
        return "\n".join([*head, *self._rows(schema, "")])

    def _rows(self, schema: Schema, path: str) -> Iterator[str]:
        before = f"{path}." if path else ""
        needed = schema.get("required", [])
        for name, value in schema.get("properties", {}).items():
            yield from self._key(value, before + name, name in needed)
        others = schema.get("additionalProperties")
        if isinstance(others, dict) and others:
            yield from self._key(others, f"{before}NAME", False)
        if isinstance(schema.get("items"), dict):
            yield from self._rows(self._part(schema["items"]), f"{path}[]")
        for choice in _choices(schema):
            yield from self._rows(self._part(choice), path)

    def _key(self, schema: Schema, path: str, needed: bool) -> Iterator[str]:
        part = self._part(schema)
        meaning = _cell(part.get("description", ""))
        yield f"| `{path}` | {self._value(schema)} | {'yes' if needed else ''} | {meaning} |"
        yield from self._rows(part, path)

    def _part(self, schema: Schema) -> Schema:
        """Return a schema with its reference followed, except to a shared part."""
        while "$ref" in schema:
            name = schema["$ref"].removeprefix("#/$defs/")
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            if name in self.shared:
                return rest
            schema = {**self._parts[name], **rest}
        return schema

    def _value(self, schema: Schema) -> str:
        """Return what the value may be, in words."""
        name = schema.get("$ref", "").removeprefix("#/$defs/")
        if name in self.shared:
            return f"`{name}`"
        schema = self._part(schema)
        if "const" in schema:
            return f"`{json.dumps(schema['const'])}`"
        if "enum" in schema:
            return ", ".join(f"`{_cell(json.dumps(value))}`" for value in schema["enum"])
        if _choices(schema):
            return " or ".join(dict.fromkeys(self._value(each) for each in _choices(schema)))
        kinds = schema.get("type", "any")
        kinds = kinds if isinstance(kinds, list) else [kinds]
        return " or ".join(self._of_kind(kind, schema) for kind in kinds)

    def _of_kind(self, kind: str, schema: Schema) -> str:
        if kind in ("integer", "number"):
            return f"{kind}{_bounds(schema)}"
        if kind == "string":
            pattern = schema.get("pattern")
            # A pipe cannot be shown in the cell of a table by every renderer.
            return f"text, pattern `{pattern}`" if pattern and "|" not in pattern else "text"
        if kind == "array":
            items = schema.get("items")
            inner = self._value(items) if isinstance(items, dict) else ""
            return f"list of {inner}" if inner and inner != "mapping" else "list"
        return {"object": "mapping", "boolean": "true or false"}.get(kind, kind)


def _choices(schema: Schema) -> list[Schema]:
    return [*schema.get("oneOf", ()), *schema.get("anyOf", ())]


def _bounds(schema: Schema) -> str:
    words = {
        "minimum": "at least",
        "exclusiveMinimum": "above",
        "maximum": "at most",
        "exclusiveMaximum": "below",
    }
    bounds = [(word, schema[key]) for key, word in words.items() if key in schema]
    # The others only keep numbers within what 64 bits hold.
    return "".join(f", {word} {bound:,.10g}" for word, bound in bounds if abs(bound) < 1e15)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:].rstrip(".") + "."
