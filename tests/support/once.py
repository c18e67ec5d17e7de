"""Pure functions that take long, called once in a worker for the same arguments."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_PLACE = re.compile(r"PosixPath\('[^']*'\)")


class Once:
    """A function that keeps what it returned, by how its arguments are written.

    A pickle would not do: equal values that share parts otherwise have other ones. Where a study
    lies is left out, for no report says it.

    For pure functions of frozen arguments alone, and results that nobody changes. A test that
    replaces what such a function calls needs the function itself.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self._kept: dict[str, Any] = {}
        self._written: dict[tuple[int, ...], tuple[tuple[object, ...], str]] = {}

    def __call__(self, *given: object) -> Any:
        key = self._key(given)
        if key not in self._kept:
            self._kept[key] = self.function(*given)
        return self._kept[key]

    def _key(self, given: tuple[object, ...]) -> str:
        """How they are written; the very same objects, held here, are not written again."""
        same = tuple(map(id, given))
        if same not in self._written:
            self._written[same] = (given, _PLACE.sub("", repr(given)))
        return self._written[same][1]
