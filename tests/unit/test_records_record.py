"""Records: read as written; every broken field is named."""

from __future__ import annotations

import json

import pytest
from support.records import CHANGES, THROTTLED, document
from support.sessions import make_record

from kit.errors import RunError
from kit.records.record import parse_record, record_document


def test_a_record_is_read_as_it_was_written() -> None:
    text = json.dumps(document())
    record = make_record("r1", "dotnet-cpu", "timed", [1.8, 1.7])
    assert parse_record(text, "x") == record
    assert parse_record(text.encode(), "x") == record


def test_what_limited_the_container_is_optional_and_survives_a_merge() -> None:
    plain = document()
    for cgroup in (THROTTLED, None):
        record = parse_record(
            json.dumps({**plain, "cgroup": None if cgroup is None else vars(cgroup)}), "x"
        )
        assert record.cgroup == cgroup
        assert parse_record(json.dumps(record_document(record)), "x") == record
    plain.pop("cgroup", None)
    assert parse_record(json.dumps(plain), "x").cgroup is None


@pytest.mark.parametrize("field", CHANGES)
def test_a_broken_record_names_where_and_the_field(field: str) -> None:
    broken = document()
    CHANGES[field](broken)
    with pytest.raises(RunError) as caught:
        parse_record(json.dumps(broken), "run r1")
    assert caught.value.problem.startswith("run r1: ")
    assert field in caught.value.problem
    assert "\n" not in caught.value.problem


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", b"\xff\xfe{", "[" * 100_000])
def test_what_is_no_record_at_all(text: str | bytes) -> None:
    with pytest.raises(RunError, match="run r1: the record is"):
        parse_record(text, "run r1")


def test_a_number_that_is_too_large_is_none() -> None:
    text = json.dumps(document()).replace('"paper_clock_s": ', '"paper_clock_s": 1e999, "x": ', 1)
    with pytest.raises(RunError, match="larger than any number"):
        parse_record(text, "run r1")
