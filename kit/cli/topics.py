"""Help that groups a command's options by topic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

WHAT = "What to measure"
HOW_MUCH = "How much"
MACHINE = "Machine and limits"
IMAGES = "Images and network"
OUTPUT = "Output and CI"
GOING_ON = "Going on"
OTHER = "Other options"
TOPICS = (WHAT, HOW_MUCH, MACHINE, IMAGES, OUTPUT, GOING_ON, OTHER)
"""Topics in the order of the help."""
_COLUMN = 30


class TopicOption(click.Option):
    """An option with its topic in the help of a `TopicCommand`."""

    def __init__(self, *args: Any, topic: str = OTHER, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.topic = topic


class TopicCommand(click.Command):
    """A command with many options: its help lists them by topic, in one column of names."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under their topics, without empty topics."""
        found: dict[str, list[tuple[str, str]]] = {topic: [] for topic in TOPICS}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                found[getattr(parameter, "topic", OTHER)].append(record)
        names = [name for records in found.values() for name, _ in records]
        width = max(len(name) for name in names if len(name) <= _COLUMN)
        for topic, records in found.items():
            if records:
                with formatter.section(topic):
                    rows = [(name.ljust(width), text) for name, text in records]
                    formatter.write_dl(rows, col_max=width)


def option(topic: str, *names: str, **attributes: Any) -> Callable[[Any], Any]:
    """Return the decorator of ``click.option`` for an option under that topic."""
    return click.option(*names, cls=TopicOption, topic=topic, **attributes)
