"""Values of dataclasses: what the standard library's slower function gives, in new containers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import pytest
from support.records import THROTTLED
from support.sessions import make_record

from kit.files.documents import values_of


@dataclass(frozen=True)
class _Odd:
    value: object


def test_they_are_those_of_the_standard_library() -> None:
    record = make_record("r1", "dotnet-cpu", "timed", [1.8, 1.7])
    assert values_of(record) == asdict(record)
    throttled = replace(record, cgroup=THROTTLED)
    assert values_of(throttled) == asdict(throttled)
    lists = _Odd({"a": [record, (1, None)], "b": _Odd("x")})
    assert values_of(lists) == asdict(lists)


def test_a_change_does_not_reach_the_dataclass() -> None:
    odd = _Odd({"a": [1]})
    values_of(odd)["value"]["a"].append(2)
    assert odd.value == {"a": [1]}


@pytest.mark.parametrize("value", [{1}, b"x", _Odd])
def test_what_json_has_no_form_for_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        values_of(_Odd(value))
