"""Types of options whose values have a structure; commands receive them parsed.

The parsers are heavy and imported with the first value, so that `kit --help` is fast. An
empty text means that the option is not given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from kit.judge.rules import FailRule
    from kit.plan.shard import Shard

MAX_BLOCKS = 10_000
"""Maximum number of blocks, as in `kit.plan.model`."""


class Parsed(click.ParamType):  # type: ignore[type-arg]  # older clicks take no arguments
    """A value that a function parses from the option's name and its text.

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


def _arms(_option: str, text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _memory(_option: str, text: str) -> int | None:
    from kit.plan.resources import parse_memory

    return parse_memory(text) if text else None


def _shard(_option: str, text: str) -> Shard | None:
    from kit.plan.shard import parse_shard

    return parse_shard(text) if text else None


def _rules(_option: str, text: str) -> tuple[FailRule, ...]:
    from kit.judge.rules import parse_rules

    return parse_rules(text)


def _labels(option: str, text: str) -> tuple[str, ...]:
    from kit.cli.labels import labels_of

    return labels_of(option, text)


ARMS = Parsed("arms", _arms)
"""Names of arms, ``tuple[str, ...]``."""
MEMORY = Parsed("memory", _memory)
"""Bytes, an int."""
SHARD = Parsed("shard", _shard)
"""A `kit.plan.shard.Shard`."""
RULES = Parsed("rules", _rules)
"""``tuple[FailRule, ...]``, see `kit.judge.rules`."""
LABELS = Parsed("labels", _labels)
"""The labels of one runner, ``tuple[str, ...]``."""
