"""Numbers of derived files are compared as numbers, everything else byte for byte."""

from __future__ import annotations

import json
import math
import re

import pytest

from kit.verify.numbers import compare

DOCUMENT = {
    "blocks": 12,
    "exact": True,
    "gain": 6.4499999999999999,
    "hash": "1234567890123456789012345",
    "interval": {"low": -0.0123, "high": 1e-20},
    "none": None,
    "rule": "the gain of +6.4 % lies in 3 to 10 %",
    "seconds": [1.9, 1.8, 2.0],
    "zero": 0.0,
}


def text(document: object) -> bytes:
    return (json.dumps(document, sort_keys=True, indent=2) + "\n").encode()


def outcome(made: bytes, found: bytes, name: str = "results.json") -> str:
    told = compare({name: made}, {name: found})
    return "wrong" if told.wrong else "rounded" if told.rounded else "same"


def changed(**values: object) -> str:
    return outcome(text(DOCUMENT), text({**DOCUMENT, **values}))


def test_the_same_bytes_are_the_same() -> None:
    assert changed() == "same"


@pytest.mark.parametrize(
    "values",
    [
        {"gain": math.nextafter(6.45, 7)},
        {"gain": 6.45 * (1 + 9e-10)},
        {"gain": 6.45 * (1 - 9e-10)},
        {"zero": -0.0},
        {"zero": 3e-17},
        {"seconds": [1.9, 1.8000000000000003, 2.0]},
        {"interval": {"low": -0.012300000000000002, "high": 2e-20}},
    ],
)
def test_last_digits_may_differ(values) -> None:
    assert changed(**values) == "rounded"


@pytest.mark.parametrize(
    "values",
    [
        {"gain": 6.45 * (1 + 1.2e-9)},
        {"gain": -6.45},
        {"gain": 6},
        {"gain": "6.45"},
        {"gain": None},
        {"gain": float("nan")},
        {"gain": float("inf")},
        {"zero": 2e-12},
        {"zero": 0},
        {"zero": False},
        {"blocks": 13},
        {"blocks": 12.0},
        {"blocks": "12"},
        {"exact": 1},
        {"exact": "true"},
        {"none": 0.0},
        {"none": ""},
        {"hash": "1234567890123456789012346"},
        {"rule": "the gain of +6.5 % lies in 3 to 10 %"},
        {"rule": "the gain of +6.4 % lies in 4 to 10 %"},
        {"seconds": [1.8, 1.9, 2.0]},
        {"seconds": [1.9, 1.8]},
        {"seconds": [1.9, 1.8, 2.0, 2.0]},
        {"seconds": {}},
        {"more": 1.0},
        {"interval": {"low": -0.0123}},
        {"interval": {"low": -0.0123, "higher": 1e-20}},
    ],
)
def test_any_other_change_is_found(values) -> None:
    assert changed(**values) == "wrong"


def reordered(found: bytes) -> bytes:
    return text(dict(reversed(DOCUMENT.items()))).replace(b"  ", b" ")


@pytest.mark.parametrize(
    "change",
    [
        lambda found: json.dumps(DOCUMENT, indent=2).encode() + b"\n\n",
        lambda found: found.replace(b'"blocks": 12,', b'"blocks": 12, "blocks": 13,'),
        lambda found: found.replace(b"1.9", b"01.9"),
        lambda found: found.replace(b"1.9", b"1_9"),
        lambda found: found.replace(b'"gain"', b'"gain '),
        lambda found: found.replace(b"12", b"9" * 10_000),
        lambda found: found.replace(b"1.9", b"1.9" + b"0" * 10 + b" 1"),
        lambda found: found[:-3],
        lambda found: found + b"x",
        lambda found: b'"' + b'\\"' * 500_000,
        lambda found: b"[" * 200_000,
        lambda found: b"\xff" + found,
        lambda found: b"",
        reordered,
    ],
)
def test_a_document_of_another_form_is_found(change) -> None:
    found = change(text(DOCUMENT))
    assert found != text(DOCUMENT)
    assert outcome(text(DOCUMENT), found) == "wrong"


REPORT = b"| C1 | +6.4 % [-0.1, +8.2] | 1.069 | p = 0.062 |\n12.34 in 2.10.1, 6.4e+04 and 3 runs.\n"


def beside(values: list[tuple[float, float]], name: str, here: bytes, there: bytes) -> str:
    """How a text fares beside numbers that are the first here and the second in the folder."""
    made = {"results.json": text([one for one, _ in values]), name: here}
    found = {"results.json": text([other for _, other in values]), name: there}
    told = compare(made, found)
    return "wrong" if name in told.wrong else "rounded" if name in told.rounded else "same"


BORDERS = [(6.449999999999999, 6.45), (-0.05, -0.04999999999999999), (0.0625, 0.06250000000000001)]
BORDERS += [(0.12344999999999999, 0.12345), (64499.99999999999, 64500.00000000001)]


@pytest.mark.parametrize("name", ["report.md", "report.html", "formats/claims.junit.xml"])
@pytest.mark.parametrize(
    "here, there",
    [
        (b"+6.4 %", b"+6.5 %"),
        (b"p = 0.062", b"p = 0.063"),
        (b"[-0.1, ", b"[+0.0, "),
        (b"12.34 in", b"12.35 in"),  # a share, as percent
        (b"6.4e+04", b"6.5e+04"),
    ],
)
def test_a_printed_number_on_a_border_may_be_rounded_either_way(name, here, there) -> None:
    assert here in REPORT
    assert beside(BORDERS, name, REPORT, REPORT.replace(here, there)) == "rounded"


def test_the_other_way_round_it_is_wrong() -> None:
    # The folder's number lies below the border, so the folder must print the smaller one.
    swapped = [(b, a) for a, b in BORDERS]
    assert beside(swapped, "report.md", REPORT, REPORT.replace(b"+6.4 %", b"+6.5 %")) == "wrong"


def test_no_digit_of_a_text_may_be_another_one_without_a_number_on_the_border() -> None:
    near = [(6.4, 6.400000000000001), (1.069, 1.0690000000000002), (8.2, 8.200000000000001)]
    for number in re.finditer(rb"\d", REPORT):
        for digit in b"0123456789":
            other = REPORT[: number.start()] + bytes([digit]) + REPORT[number.end() :]
            expected = "same" if other == REPORT else "wrong"
            assert beside(near, "report.md", REPORT, other) == expected


def test_beside_numbers_on_a_border_no_other_digit_may_change() -> None:
    accepted = {
        other
        for number in re.finditer(rb"\d", REPORT)
        for digit in b"0123456789"
        if (other := REPORT[: number.start()] + bytes([digit]) + REPORT[number.end() :]) != REPORT
        and beside(BORDERS, "report.md", REPORT, other) == "rounded"
    }
    turned = [(b"+6.4 ", b"+6.5 "), (b"[-0.1", b"[-0.0"), (b"0.062", b"0.063")]
    turned += [(b"12.34", b"12.35"), (b"6.4e+04", b"6.5e+04")]
    assert accepted == {REPORT.replace(here, there) for here, there in turned}


@pytest.mark.parametrize(
    "here, there",
    [(b"+6.4 %", b"6.5 %"), (b"+6.4 %", b"+6.50 %"), (b"+6.4 %", b"+6.5%"), (b"+6.4", b"+6.5 ")],
)
def test_a_number_that_turned_keeps_its_form(here: bytes, there: bytes) -> None:
    assert beside(BORDERS, "report.md", REPORT, REPORT.replace(here, there)) == "wrong"
