"""A switch that turns every sentence of the kit's into "X": errors, reports, what runs said."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest

import kit.report
from kit.errors import KitError

X = "X"
PROSE = {
    "Component": ("why", "details"),
    "RunEntry": ("failure", "log_tail"),
    "GpuIssue": ("what", "remedy"),
    "GpuTelemetry": ("failures",),
    "ExecutableRun": ("said",),
}
"""Fields of a log that hold sentences, by the class of the value they are in."""
NO_SENTENCES = {
    "kit.report.crate", "kit.report.export", "kit.report.plots", "kit.report.render",
    "kit.report.results_json", "kit.report.text", "kit.report.files",
}  # fmt: skip
"""Rooms of forms: their strings are whole files."""


def without_words(value: Any) -> Any:
    """Return the value with every sentence in it replaced."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        prose = PROSE.get(type(value).__name__, ())
        changed = {
            each.name: _said(getattr(value, each.name))
            if each.name in prose
            else without_words(getattr(value, each.name))
            for each in dataclasses.fields(value)
        }
        return dataclasses.replace(value, **changed)
    if isinstance(value, tuple):
        return tuple(without_words(each) for each in value)
    if isinstance(value, dict):
        return {key: without_words(each) for key, each in value.items()}
    return value


def _said(value: Any) -> Any:
    """X in place of each sentence; none stays none, for that one was said is a fact."""
    if isinstance(value, tuple):
        return tuple(map(_said, value))
    return X if isinstance(value, str) and value else value


@contextmanager
def wordless() -> Iterator[None]:
    """Replace the sentences of errors and of everything in kit.report that returns text."""
    with pytest.MonkeyPatch.context() as patch:
        init = KitError.__init__

        def silent(self: KitError, *_words: str, **more: Any) -> None:
            init(self, X, X, **more)

        patch.setattr(KitError, "__init__", silent)
        writers = {function for module in _modules() for function in _writers(module)}
        for module in [m for name, m in sys.modules.items() if name.startswith("kit.")]:
            for name, found in list(vars(module).items()):
                if inspect.isfunction(found) and found in writers:
                    patch.setattr(module, name, lambda *_args, **_more: X)
        yield


def _modules() -> Iterator[ModuleType]:
    for each in pkgutil.walk_packages(kit.report.__path__, "kit.report."):
        if not any(each.name == room or each.name.startswith(f"{room}.") for room in NO_SENTENCES):
            yield importlib.import_module(each.name)


def _writers(module: ModuleType) -> Iterator[Any]:
    for function in vars(module).values():
        own = inspect.isfunction(function) and function.__module__ == module.__name__
        if own and function.__annotations__.get("return") == "str":
            yield function
