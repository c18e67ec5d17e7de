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

    For pure functions alone, and results that nobody changes. A test that replaces what such a
    function calls needs the function itself.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self._kept: dict[str, Any] = {}

    def __call__(self, *given: object) -> Any:
        key = _PLACE.sub("", repr(given))
        if key not in self._kept:
            self._kept[key] = self.function(*given)
        return self._kept[key]
