"""YAML and JSON from others: what is refused, and what stays as written."""

from __future__ import annotations

import pytest

from kit.errors import InputError
from kit.files.documents import DEPTH, LETTERS, NODES, read_json, read_yaml


def test_values_of_json_are_read() -> None:
    text = b"a: &x one\nb: [*x, 2, 3.5, true, null]\nday: 2022-05-01\n"
    assert read_yaml(text, "f", "r") == {
        "a": "one",
        "b": ["one", 2, 3.5, True, None],
        "day": "2022-05-01",
    }
    assert read_yaml(b"", "f", "r") is None
    half = b"y" * (LETTERS // 2 - 1)
    assert read_yaml(b"a: &x " + half + b"\nb: *x\n", "f", "r")["b"] == half.decode()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (b"a: 1\nb: 2\na: 3\n", "line 3: 'a' is there twice"),
        (b"a: &x {b: 1}\nc: *x\n", "line 2"),
        (b"a: &x [1]\nc: *x\n", "line 2"),
        (b"a: &x [*x]\n", "line 1"),
        (b"a: 1\n<<: {b: 2}\n", "line 2"),
        (b"a: !!python/object/apply:os.system [ls]\n", "line 1"),
        (b"a: !!binary aGVsbG8=\n", "line 1"),
        (b"a: !!set {b, c}\n", "line 1"),
        (b"a: .nan\n", "line 1"),
        (b"a: 1e999\n", "a"),
        (b"a: " + b"9" * 31, "30 digits"),
        (b"a: " + b"9" * 5000, "line 1"),
        (b"a: 0b\n1: 2", "the key is not a string"),
        (b"? [1, 2]\n: 3\n", "the key is not a string"),
        (b"[" * (DEPTH + 1) + b"]" * (DEPTH + 1), "nested deeper"),
        (b"[" * 100_000, "line 1"),
        (b"[" + b"1," * (NODES + 1) + b"]", "values"),
        (b"a: &x " + b"y" * 400_000 + b"\nb: [" + b"*x," * 50_000 + b"]", f"{LETTERS:,}"),
        (b"a: " + b"y" * (LETTERS + 1), f"{LETTERS:,}"),
        (b'a: "\\ud800"\n', "f"),
        (b"a: \xff\n", "f"),
        (b"a: !!int x\n", "line 1"),
        (b"a: !!float ''\n", "line 1"),
        (b"a: !!bool maybe\n", "line 1"),
        (b"a: 1\n---\nb: 2\n", "f"),
    ],
)
def test_what_is_refused_in_yaml_is_named(text: bytes, named: str) -> None:
    if text == b"a: 1e999\n":  # no float in YAML 1.1: text
        assert read_yaml(text, "f", "r") == {"a": "1e999"}
        return
    with pytest.raises(InputError) as caught:
        read_yaml(text, "f.yaml", "r")
    assert "f.yaml" in caught.value.problem
    assert named in caught.value.problem


@pytest.mark.parametrize(
    "text",
    ['{"a": 1, "a": 2}', '{"a": NaN}', "[1e999]", "[-Infinity]", "1" * 1001, "[" * 200_000, "{"],
)
def test_what_is_refused_in_json(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(text)
    with pytest.raises(ValueError, match=r"."):
        read_json(text.encode())


def test_json_in_another_encoding_than_utf_8_is_refused() -> None:
    for encoding in ("utf-16", "utf-16-le", "utf-32"):
        with pytest.raises(ValueError, match=r"."):
            read_json(f'{{"a": {"9" * 301}}}'.encode(encoding))
    with pytest.raises(ValueError, match="utf-8"):
        read_json(b'"\xed\xa0\x80"')
    assert read_json('{"a": "ü"}'.encode("utf-8-sig")) == {"a": "ü"}


@pytest.mark.parametrize("before", [0, 1, 25, 49, 50])
def test_a_long_integer_is_refused_wherever_it_stands(before: int) -> None:
    for text in ("[" + " " * before + "1" * 301 + "]", " " * before + "[" + "9" * 1001 + "]"):
        for written in (text, text.encode()):
            with pytest.raises(ValueError, match="300 digits"):
                read_json(written)
    assert read_json(" " * before + "1" * 300) == int("1" * 300)


def test_json_is_read() -> None:
    assert read_json('{"a": [1, 2.5, "x", null]}') == {"a": [1, 2.5, "x", None]}
    assert read_json('{"sum": "' + "1" * 64 + '", "n": 12}')["n"] == 12


def test_an_alias_counts_as_what_it_stands_for() -> None:
    text = b"a: &x " + b"y" * 20_000 + b"\nb: [" + b"*x," * (LETTERS // 20_000) + b"]"
    with pytest.raises(InputError, match=f"{LETTERS:,}"):
        read_yaml(text, "f.yaml", "r")
