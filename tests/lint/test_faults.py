"""The list of faults fits the code: each can be put in, and its tests are there."""

from __future__ import annotations

from collections import Counter
from functools import cache

from method.faults.listed import ROOT, Fault, faults


@cache
def text(file: str) -> str:
    """What is in a file; empty where there is none."""
    return (ROOT / file).read_text() if (ROOT / file).is_file() else ""


def missing(fault: Fault) -> list[str]:
    """The tests of a fault that there are none of."""
    wanted = [(test, *test.partition("::")[::2]) for test in fault.tests]
    return [
        test
        for test, file, name in wanted
        if not text(file) or (name and f"def {name.partition('[')[0]}(" not in text(file))
    ]


def test_every_fault_fits_the_code_and_its_tests_are_there() -> None:
    for fault in faults():
        assert fault.old != fault.new, fault.name
        assert fault.applied(text(f"kit/{fault.file}"))
        assert fault.tests and not missing(fault), fault.name


def test_names_differ() -> None:
    twice = [name for name, count in Counter(each.name for each in faults()).items() if count > 1]
    assert twice == []
