"""Schemas of others: every bound on the native validator's work holds before it starts."""

from __future__ import annotations

from typing import Any

import pytest

from kit.schemas.foreign import HEIGHT, SIZE, WORK, problems_by_foreign


def chained(levels: int, link: Any) -> dict[str, Any]:
    """A schema of definitions, each of which refers to the next as ``link`` does."""
    parts = {f"a{i}": link({"$ref": f"#/$defs/a{i + 1}"}) for i in range(levels)}
    return {"$ref": "#/$defs/a0", "$defs": {**parts, f"a{levels}": {"type": "object"}}}


def nested(levels: int, around: Any) -> dict[str, Any]:
    """A schema inside a schema inside a schema."""
    schema: dict[str, Any] = {"properties": {"a": {}}}
    for _ in range(levels):
        schema = around(schema)
    return schema


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        *(
            (chained(30, lambda next_, key=key: {key: [next_, next_]}), f"{SIZE:,}")
            for key in ("allOf", "anyOf", "oneOf", "prefixItems")
        ),
        (chained(30, lambda next_: {"properties": {"a": next_, "b": next_}}), f"{SIZE:,}"),
        (chained(30, lambda next_: {"if": next_, "then": next_, "else": next_}), f"{SIZE:,}"),
        (nested(30, lambda it: {"allOf": [it], "unevaluatedProperties": False}), f"{SIZE:,}"),
        (nested(30, lambda it: {"anyOf": [it], "unevaluatedItems": {}}), f"{SIZE:,}"),
        ({"enum": list(range(SIZE))}, f"{SIZE:,}"),
        ({"properties": {str(i): {"pattern": "a"} for i in range(SIZE // 10)}}, f"{SIZE:,}"),
        ({"patternProperties": {str(i): {} for i in range(SIZE // 10)}}, f"{SIZE:,}"),
        (chained(HEIGHT, lambda next_: {"not": next_}), f"{HEIGHT}"),
        ({"properties": {"a": {"$ref": "#"}}}, "$ref '#'"),
        ({"$ref": "#/"}, "#/"),
        (chained(0, None) | {"$defs": {"a0": {"allOf": [{"$ref": "#/$defs/a0"}] * 2}}}, "a0"),
        ({"$ref": "#/$defs/%61", "$defs": {"a": {}}}, "%61"),
        ({"$ref": "#/allOf/00", "allOf": [{}]}, "#/allOf/00"),
        ({"$anchor": "a", "not": {"$ref": "#a"}}, "#a"),
        ({"$dynamicAnchor": "a", "not": {"$dynamicRef": "#a"}}, "$dynamicRef"),
        ({"properties": {"a": {"pattern": "(?=a)b"}}}, "(?=a)b"),
        ({"properties": {"a": {"pattern": "(((a{99}){99}){99}){99}"}}}, "a{99}"),
    ],
)  # fmt: skip
def test_a_schema_that_could_take_forever_is_refused_by_its_bound(
    schema: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValueError, match="JSON Schema") as caught:
        problems_by_foreign(schema, {"a": "a"})
    assert named in str(caught.value)


def test_the_work_is_bounded_by_schema_and_value_together() -> None:
    schema = {"properties": {str(i): {"minLength": 1} for i in range(500)}}
    assert problems_by_foreign(schema, {"a": "b" * 100}) == []
    with pytest.raises(ValueError, match=f"{WORK:,}"):
        problems_by_foreign(schema, {"a": "b" * 10_000})


@pytest.mark.parametrize("pattern", ["(a*)*b", "(a|aa)+$b", "(x+x+)+y", "^(a?){40}a{40}$"])
def test_a_pattern_takes_linear_time(pattern: str) -> None:
    assert problems_by_foreign({"properties": {"a": {"pattern": pattern}}}, {"a": "a" * 10_000})


def test_references_properties_named_as_keywords_and_data_are_followed_as_they_are() -> None:
    schema = {
        "$defs": {"a/b": {"type": "integer"}, "list": {"items": {"$ref": "#/$defs/a~1b"}}},
        "properties": {
            "$ref": {"$ref": "#/$defs/a~1b"},
            "id": {"$ref": "#/$defs/list"},
            "pattern": {"const": {"pattern": 1}},
        },
    }
    assert problems_by_foreign(schema, {"$ref": 1, "id": [1], "pattern": {"pattern": 1}}) == []
    found = problems_by_foreign(schema, {"$ref": "x", "id": ["x"], "pattern": 2})
    assert [line.split(":")[0] for line in found] == ["$ref", "id[0]", "pattern"]
