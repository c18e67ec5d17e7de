"""The published schemas: valid themselves, and every broken field is named."""

from __future__ import annotations

import json
from datetime import date
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from support.records import CHANGES, document

from kit import schemas
from kit.errors import InputError
from kit.schemas import check, problems, problems_by, schema
from kit.study.load import shipped_folder

NAMES = sorted(
    entry.name.removesuffix(".schema.json")
    for entry in files("kit.schemas").iterdir()
    if entry.name.endswith(".schema.json")
)
SPEC: dict[str, Any] = {
    "schema": 1,
    "run_id": "block000-python-cpu",
    "arm": "python-cpu",
    "variant": "cpu",
    "kind": "timed",
    "repeats": 5,
    "seed": None,
    "conditions": {"slowdown_percent": 0, "progress": True, "probe": False, "keep": False},
    "workload": {
        "dataset": "fashion_mnist",
        "scale": 255.0,
        "layers": [{"type": "flatten"}, {"type": "dense", "units": 10, "activation": "softmax"}],
        "optimizer": "adam",
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
        "batch_size": 10000,
        "epochs": 5,
    },
}


def test_the_contracts_are_published() -> None:
    assert {"spec", "record", "study", "claims", "pins"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_is_a_valid_closed_schema(name: str) -> None:
    document = schema(name)
    jsonschema.Draft202012Validator.check_schema(document)
    assert document["type"] == "object"
    assert document["additionalProperties"] is False
    assert document["title"]


def test_a_good_document_has_no_problems() -> None:
    assert problems("spec", SPEC) == []
    check("spec", SPEC, "here", "remedy")


def test_every_problem_is_one_line_with_its_field() -> None:
    found = problems("spec", {**SPEC, "repeats": 0, "kind": "warm", "seed": -1})
    assert [line.split(":")[0] for line in found] == ["kind", "repeats", "seed"]
    assert not any("\n" in line for line in found)


@pytest.mark.parametrize(
    "layer",
    [
        {"type": "flatten", "units": None},
        {"type": "dense", "units": 0, "activation": "relu"},
        {"type": "dense", "units": 10},
        {"type": "conv"},
        "flatten",
    ],
)
def test_a_layer_of_no_kind_is_named(layer: object) -> None:
    broken = {**SPEC["workload"], "layers": [{"type": "flatten"}, layer]}
    by = json.loads((shipped_folder() / "workload.schema.json").read_text())
    (line,) = problems_by(by, broken)
    assert line.startswith("layers[1]")
    assert problems_by(by, SPEC["workload"]) == []


def test_check_names_where_and_keeps_the_remedy() -> None:
    with pytest.raises(InputError) as caught:
        check("spec", {**SPEC, "arm": ""}, "spec of run x", "mend it")
    assert caught.value.problem.startswith("spec of run x: arm: ")
    assert caught.value.remedy == "mend it"


def test_check_does_not_flood() -> None:
    document = {"schema": 1, **{f"layer{i}": i for i in range(50)}}
    with pytest.raises(InputError) as caught:
        check("spec", document, "here", "remedy")
    assert caught.value.problem.count(";") <= 4
    with pytest.raises(InputError) as caught:
        check("spec", {**SPEC, "kind": "x" * 100_000}, "here", "remedy")
    assert len(caught.value.problem) < 300


def test_many_faults_of_a_large_document_are_counted_in_bounded_time() -> None:
    claims: dict[str, Any] = {kind: [{}] * 90_000 for kind in ("claims", "training")}
    with pytest.raises(InputError):
        check("claims", claims, "here", "remedy")
    controls = [*(f"c{i}" for i in range(90_000)), None]
    held = {"schema": 1, "protocol": {"tiers": {"t": {"controls": controls}}}}
    assert problems("study", held)


@pytest.mark.parametrize("document", [None, [], "text", 3])
def test_no_object_at_all_is_refused(document: object) -> None:
    assert "is not of type 'object'" in problems("record", document)[0]


@pytest.mark.parametrize("field", [None, *CHANGES])
def test_the_compiled_validator_answers_as_the_one_with_the_words(field: str | None) -> None:
    made = document()
    if field is not None:
        CHANGES[field](made)
    assert schemas._holds("record", made) is (problems_by(schema("record"), made) == [])
    assert schemas._holds("record", made) is (field is None)


@pytest.mark.parametrize("value", [{1: 2}, {"a": date(2026, 1, 1)}, {"a": float("inf")}, {1, 2}])
def test_values_that_json_lacks_are_left_to_the_one_with_the_words(value: Any) -> None:
    assert schemas._holds("study", value) is False
    assert problems("study", value) != []


def test_a_field_whose_name_is_no_text_is_named_in_text() -> None:
    made = document()
    made["versions"]["a\ud800"] = 1
    (line,) = problems("record", made)
    assert "a\\ud800" in line and line.encode()
