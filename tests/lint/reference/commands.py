"""The reference of the command line, generated from the commands."""

from __future__ import annotations

import re

import click

from kit.cli import cli

WIDTH = 88


def commands() -> str:
    """Return the help of every command as markdown."""
    parts = [
        "# Command line",
        "Made by `python -m tests.lint.reference`; it is what `kit COMMAND --help` prints.",
        _help(cli, "kit"),
    ]
    for name, command in sorted(cli.commands.items()):
        parts += [f"## kit {name}", _help(command, f"kit {name}")]
        if isinstance(command, click.Group):
            for inner, child in sorted(command.commands.items()):
                parts += [f"### kit {name} {inner}", _help(child, f"kit {name} {inner}")]
    return "\n\n".join(parts) + "\n"


def _help(command: click.Command, name: str) -> str:
    # As a child of the group's context, whose settings (-h) every command inherits.
    top = cli.make_context("kit", [], resilient_parsing=True)
    context = click.Context(
        command,
        parent=None if command is cli else top,
        info_name=name if command is cli else name.removeprefix("kit "),
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )
    text = re.sub(r"[ \t]+$", "", command.get_help(context), flags=re.MULTILINE)
    return f"```text\n{text.strip()}\n```"
