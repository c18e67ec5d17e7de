"""Old names of options: they work for one release, hidden from help, and print the new name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def renamed_flag(old: str, new: str) -> Callable[[Any], Any]:
    """Return the decorator that adds a flag's old name, which also sets the new flag."""
    parameter = new.removeprefix("--").replace("-", "_")

    def give(context: click.Context, _option: click.Parameter, given: bool) -> None:
        if given:
            say_renamed(old, new)
            context.default_map = {**(context.default_map or {}), parameter: True}

    # Eager, so that the new flag takes its default from the context afterwards.
    return click.option(
        old, is_flag=True, hidden=True, is_eager=True, expose_value=False, callback=give
    )


def say_renamed(old: str, new: str) -> None:
    """Print the new name of an option on standard error."""
    click.echo(f"kit: {old} is now called {new}; the old name goes in a later release", err=True)
