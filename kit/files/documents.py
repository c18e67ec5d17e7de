"""Documents: YAML and JSON, read within bounds and without silently replaced values.

``values_of`` gives the values of dataclasses as they are written to JSON.

Strings of containers, engines and hosts are shown without characters that control their
display: they must not contain an escape sequence or reorder the line around them.
"""

from __future__ import annotations

import codecs
import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import yaml

from kit.errors import InputError

DEPTH = 32
NODES = 100_000
LETTERS = 1_000_000
"""Characters of all keys and values, each alias counted as its target: as many as a study's
file can have without aliases. It also bounds the text that a check repeats in a message."""
DIGITS = 30
"""Digits of an integer in YAML: more than any count, size or time here has."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_PLAIN = {f"{_TAG}{name}" for name in ("null", "bool", "int", "float", "str", "map", "seq")}
JSON_DIGITS = 300
"""Schemas bound integers by field; this bounds the time to read one, and excludes those beyond
the range of a float, for JSON has one kind of number."""
_LONG, _SIX = re.compile(r"[0-9]{301}"), re.compile(r"[0-9]{6}")
_ATOMS = (str, int, float, type(None))
_BUILD = yaml.constructor.SafeConstructor()
_ANSI = re.compile(
    r"\x1b\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)"  # operating system command
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # control sequence
    r"|\x1b[ -/]*[0-~]"  # any other escape
)


def read_yaml(content: bytes, where: str, remedy: str) -> Any:
    """Return the values in YAML text, of the types that JSON has.

    Raise InputError naming ``where`` and the line, with that remedy.
    """
    try:
        content.decode("utf-8")
        _refuse_large(content)
        node = yaml.compose(content, Loader=_LOADER)
        return None if node is None else _value(node)
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{where}: not YAML ({reason[:300]})", remedy) from error


def read_json(text: bytes | str) -> Any:
    """Return the values in JSON. Raise ValueError for invalid JSON and for duplicate keys.

    NaN, Infinity and 1e999, which Python reads, count as invalid, and so do bytes in another
    encoding than UTF-8.
    """
    if isinstance(text, bytes):
        text = text.removeprefix(codecs.BOM_UTF8).decode()
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_integer if _maybe_long(text) else None,
        )
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def values_of(instance: Any) -> dict[str, Any]:
    """Return the fields of a dataclass and of those inside it as new dicts, lists and tuples.

    It is ``dataclasses.asdict`` for values that JSON has: that one deep-copies every text and
    number before Python 3.12, which took most of the time to write a line of the log.
    """
    return {name: _plain(getattr(instance, name)) for name in _names(instance.__class__)}


def cleaned(value: str, keep_newlines: bool) -> str:
    """Return the text without ANSI sequences and control, format and bidi characters.

    Line separators and tabs become spaces, surrogates and private-use characters become
    replacement characters. ``keep_newlines`` keeps newlines.
    """
    text = _ANSI.sub("", value)
    if text.isprintable():
        return text  # nothing that _safe changes is printable
    return "".join(_safe(char, keep_newlines) for char in text)


def _refuse_large(content: bytes) -> None:
    """Raise ValueError for YAML that is nested too deep or, with aliases followed, too large.

    It builds no values.
    """
    depth = nodes = letters = 0
    scalars: dict[str, int] = {}
    for event in yaml.parse(content, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in scalars:
                raise ValueError(f"{_line(event)}: *{event.anchor} is not an alias of a scalar")
            letters += scalars[event.anchor]
        elif isinstance(event, yaml.ScalarEvent):
            letters += len(event.value)
            if event.anchor:
                scalars[event.anchor] = len(event.value)
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEPTH:
                raise ValueError(f"{_line(event)}: nested deeper than {DEPTH}")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if isinstance(event, yaml.NodeEvent):
            nodes += 1
            if nodes > NODES:
                raise ValueError(f"{_line(event)}: more than {NODES} values")
        if letters > LETTERS:
            raise ValueError(
                f"{_line(event)}: more than {LETTERS:,} characters with aliases followed"
            )


def _value(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        _refuse_tag(node)
        return _mapping(node)
    if isinstance(node, yaml.SequenceNode):
        _refuse_tag(node)
        return [_value(item) for item in node.value]
    return _scalar(node)


def _mapping(node: yaml.MappingNode) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, item in node.value:
        key = _value(key_node) if isinstance(key_node, yaml.ScalarNode) else None
        if not isinstance(key, str):
            text = key_node.value if isinstance(key_node, yaml.ScalarNode) else ""
            raise ValueError(f"{_line(key_node)}: {text}: the key is not a string")
        if key in values:
            raise ValueError(f"{_line(key_node)}: {key!r} is there twice")
        values[key] = _value(item)
    return values


def _scalar(node: yaml.Node) -> Any:
    if node.tag == f"{_TAG}timestamp" and isinstance(node.value, str):
        value: Any = node.value
    else:
        _refuse_tag(node)
        try:
            value = _built(node)
        except (KeyError, IndexError, OverflowError, ValueError) as error:
            raise ValueError(f"{_line(node)}: {node.value[:40]!r} cannot be read") from error
    if isinstance(value, int) and abs(value) >= 10**DIGITS:
        raise ValueError(f"{_line(node)}: an integer of more than {DIGITS} digits")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{_line(node)}: {value} is not a finite number")
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValueError(f"{_line(node)}: contains a surrogate, which is not valid Unicode text")
    return value


def _built(node: yaml.Node) -> Any:
    """Return the value of a null, bool, int, float or str. Raise ValueError for a long number."""
    kind = node.tag.removeprefix(_TAG)
    if kind in ("int", "float") and len(node.value) > 10 * DIGITS:
        raise ValueError("too long")
    return getattr(_BUILD, f"construct_yaml_{kind}")(node)


def _refuse_tag(node: yaml.Node) -> None:
    """Raise ValueError for a type that JSON does not have: a merge key, a set, a Python type."""
    if node.tag not in _PLAIN:
        raise ValueError(f"{_line(node)}: JSON has no type {node.tag.removeprefix(_TAG)}")


def _line(mark: Any) -> str:
    return f"line {mark.start_mark.line + 1}"


def _maybe_long(text: str) -> bool:
    """Return whether the text may have an integer of more than ``JSON_DIGITS`` digits.

    Of so many digits in a row, every fiftieth character shows six.
    """
    return bool(_SIX.search(text[::50]) and _LONG.search(text))


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > JSON_DIGITS:
        raise ValueError(f"an integer of more than {JSON_DIGITS} digits")
    return int(text)


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"{key!r} is there twice")
            seen.add(key)
    return values


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number that JSON knows")


def _finite(text: str) -> float:
    number = float(text)
    if number in (math.inf, -math.inf):
        raise ValueError(f"{text[:20]} is larger than any number here can be")
    return number


def _safe(char: str, keep_newlines: bool) -> str:
    if char == "\n" and keep_newlines:
        return char
    category = unicodedata.category(char)
    if char in "\n\r\t\v\f" or category in {"Zl", "Zp"}:
        return " "
    if category in {"Cc", "Cf"}:  # control; bidi marks, zero width, tags
        return ""
    if category in {"Cs", "Co"}:  # lone surrogates cannot even be encoded
        return "\N{REPLACEMENT CHARACTER}"
    return char


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _plain(value: Any) -> Any:
    if isinstance(value, _ATOMS):
        return value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    if isinstance(value, list):
        return list(map(_plain, value))
    if is_dataclass(value) and not isinstance(value, type):
        return values_of(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
