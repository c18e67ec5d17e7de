"""Types of parameters: values that commands receive parsed, and paths to files and folders.

The parsers are heavy and imported with the first value, so that `kit --help` is fast. An
empty text means that the option is not given. Paths that would make a command wait are refused.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from kit.errors import InputError
from kit.files.plain import open_named, refuse_large, refuse_other

if TYPE_CHECKING:
    from kit.judge.rules import FailRule
    from kit.plan.shard import Shard


MAX_BLOCKS = 10_000
"""Maximum number of blocks, as in `kit.plan.model`."""
SMALL_FILE = 10_000_000
"""Maximum size in bytes of a key, a list of signers or a lock file of packages."""
_REMEDY = "give one label, or a list in brackets: '[self-hosted, linux]'; quote labels like '\"1\"'"


class Parsed(click.ParamType):  # type: ignore[type-arg]  # older clicks take no arguments
    """A click parameter type: a function parses the value from the option's name and its text.

    The function raises InputError for an invalid text.
    """

    def __init__(self, name: str, parse: Callable[[str, str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,  # noqa: ARG002
    ) -> Any:
        """Return the parsed value; one that is already parsed unchanged. Raises InputError."""
        if not isinstance(value, str):
            return value
        return self._parse(param.opts[0] if param is not None else self.name, value)


class NamedPath(click.Path):
    """A click parameter type: a path, refused by name if it leads to another kind of file."""

    def __init__(self, wanted: int, exists: bool, limit: int | None = None) -> None:
        folder = wanted == stat.S_IFDIR
        super().__init__(exists=exists, file_okay=not folder, dir_okay=folder, path_type=Path)
        self._wanted = wanted
        self._limit = limit

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path. Raises InputError for another kind of file and one over the limit."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        try:
            self._check(path)
        except FileNotFoundError:
            if self.exists:
                raise
        except (OSError, ValueError) as error:
            self._unreadable(path, error)
        return path

    def _check(self, path: Path) -> None:
        refuse_other(path, path.stat(), self._wanted)
        if self._limit is not None:
            descriptor = open_named(path)
            try:
                refuse_large(path, os.fstat(descriptor), self._limit)
            finally:
                os.close(descriptor)

    def _unreadable(self, path: Path, error: Exception) -> NoReturn:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({reason})", "name another path") from error


FOLDER = NamedPath(stat.S_IFDIR, exists=True)
NEW_FOLDER = NamedPath(stat.S_IFDIR, exists=False)
FILE = NamedPath(stat.S_IFREG, exists=True)
"""A file of any size; its reader limits the bytes it reads."""
SMALL = NamedPath(stat.S_IFREG, exists=True, limit=SMALL_FILE)
NEW_FILE = NamedPath(stat.S_IFREG, exists=False)


def _arms(_option: str, text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


ARMS = Parsed("arms", _arms)
"""Names of arms, ``tuple[str, ...]``."""


def _memory(_option: str, text: str) -> int | None:
    from kit.plan.resources import parse_memory

    return parse_memory(text) if text else None


MEMORY = Parsed("memory", _memory)
"""Bytes, an int."""


def _shard(_option: str, text: str) -> Shard | None:
    from kit.plan.shard import parse_shard

    return parse_shard(text) if text else None


SHARD = Parsed("shard", _shard)
"""A `kit.plan.shard.Shard`."""


def _rules(_option: str, text: str) -> tuple[FailRule, ...]:
    from kit.judge.rules import parse_rules

    return parse_rules(text)


RULES = Parsed("rules", _rules)
"""``tuple[FailRule, ...]``, see `kit.judge.rules`."""


def labels_of(option: str, value: str) -> tuple[str, ...]:
    """Return the runner labels in an option's value: one label, or a YAML list in brackets.

    ``option`` is its name in messages. Raises InputError for an invalid list, and for a comma in a
    label.
    """
    if not value.startswith("["):
        if "," in value:
            raise InputError(f"{option}: {value!r}: a label has no comma", _REMEDY)
        return (value,)
    from kit.files.documents import read_yaml

    labels = read_yaml(value.encode("utf-8", "surrogateescape"), f"{option}: {value!r}", _REMEDY)
    if not isinstance(labels, list) or not labels:
        raise InputError(f"{option}: {value!r}: not a list of labels", _REMEDY)
    for label in labels:
        if not isinstance(label, str) or not label.strip() or "," in label:
            raise InputError(f"{option}: {value!r}: {label!r} is not a label", _REMEDY)
    return tuple(labels)


LABELS = Parsed("labels", labels_of)
"""The labels of one runner, ``tuple[str, ...]``."""
