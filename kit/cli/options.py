"""Options of every command that builds images or measures, and help that groups them by topic.

Old names of options and values work for one release, hidden from help, and print the new name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any, cast

import click

if TYPE_CHECKING:  # heavy: `kit --help` must not wait for them
    from kit.images.build.arms import BuildOptions


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


@dataclass(frozen=True)
class ImageOptions:
    """Options of the command line on the engine and the images.

    ``install_engine`` allows the kit to install missing tools, ``wait_for_lock`` waits for
    another kit that holds the lock, ``verbose`` prints the builders' output, ``allow_busy_host``
    measures on a busy machine; the others are as in `kit.images.build.arms.Options`, ``settings``
    and ``mirrors`` unchecked.
    """

    install_engine: bool
    wait_for_lock: bool
    strict: bool
    settings: tuple[str, ...]
    mirrors: tuple[str, ...]
    verbose: bool = False
    allow_busy_host: bool = False


class TopicOption(click.Option):
    """A click option with its topic in the help of a `TopicCommand`."""

    def __init__(self, *args: Any, topic: str = OTHER, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.topic = topic


class TopicCommand(click.Command):
    """A click command with many options: its help lists them by topic, in one column of names."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options of the command's help under their topics, without empty topics."""
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


def image_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the engine and image options to a command, which gets them as ``images``."""

    @wraps(command)
    def typed(
        *,
        install_engine: bool,
        wait_for_lock: bool,
        strict: bool,
        settings: tuple[str, ...],
        old_settings: tuple[str, ...],
        mirrors: tuple[str, ...],
        verbose: bool,
        **others: Any,
    ) -> Any:
        images = ImageOptions(
            install_engine, wait_for_lock, strict, (*settings, *old_settings), mirrors, verbose
        )
        return command(images=images, **others)

    for add in reversed(_OPTIONS):
        typed = add(typed)
    return typed


def measuring_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --allow-busy-host, and the engine and image options, to a command that measures."""

    @wraps(command)
    def typed(*, allow_busy_host: bool, images: ImageOptions, **others: Any) -> Any:
        return command(images=replace(images, allow_busy_host=allow_busy_host), **others)

    added = renamed_flag("--noisy", "--allow-busy-host")(image_options(typed))
    help_text = "Measure though the machine is busy."
    add = option(MACHINE, "--allow-busy-host", is_flag=True, help=help_text)
    return cast(Callable[..., Any], add(added))


def was_given(name: str) -> bool:
    """Return whether the user gave the parameter of that name to the current click command."""
    source = click.get_current_context().get_parameter_source(name)
    return source is click.core.ParameterSource.COMMANDLINE


def build_options(images: ImageOptions) -> BuildOptions:
    """Return the builder's options, with the bundle that was loaded last.

    They install tools only with ``install_engine``. Raises InputError for an invalid setting
    or mirror, and for a damaged bundle.
    """
    from kit.cli.process import say
    from kit.environment import data_folder, variables
    from kit.host.setup import ensure_bootstrap_tools
    from kit.images.bases.candidates import parse_mirrors
    from kit.images.build.arms import BuildOptions
    from kit.images.build.binding import NUGET_SOURCE, parse_settings
    from kit.images.bundle.load import loaded

    def install() -> None:
        if images.install_engine:
            ensure_bootstrap_tools(say)

    return BuildOptions(
        strict=images.strict,
        nuget_source=parse_settings(images.settings).get(NUGET_SOURCE, ""),
        ensure_tools=install,
        mirrors=parse_mirrors(images.mirrors, variables()),
        bundle=loaded(data_folder()),
    )


def option(topic: str, *names: str, **attributes: Any) -> Callable[[Any], Any]:
    """Return a decorator like ``click.option``, whose option is under that topic in the help."""
    return click.option(*names, cls=TopicOption, topic=topic, **attributes)


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


class RenamedChoice(click.Choice):  # type: ignore[type-arg]  # older clicks take no arguments
    """A click choice that also takes old words of the option, each given with its new one."""

    def __init__(self, choices: Sequence[str], new_words: Mapping[str, str]) -> None:
        super().__init__(choices)
        self._new_words = new_words

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the choice; for an old word print its new one on standard error, and return it."""
        new = self._new_words.get(value, value)
        if new != value and param is not None:
            say_renamed(f"{param.opts[0]} {value}", f"{param.opts[0]} {new}")
        return super().convert(new, param, ctx)


def say_renamed(old: str, new: str) -> None:
    """Print on standard error that the option, or option with a value, is now called ``new``."""
    click.echo(f"kit: {old} is now called {new}; the old name goes in a later release", err=True)


def _nuget_source(_context: click.Context, _option: click.Parameter, feed: str) -> tuple[str, ...]:
    """Return the setting that replaces the old option; () if the option is not given."""
    if not feed:
        return ()
    say_renamed("--nuget-source", "--set nuget_source=FEED")
    return (f"nuget_source={feed}",)


_OPTIONS = (
    option(
        MACHINE, "--install-engine", is_flag=True,
        help="Install and start an engine, or what else is missing to build.",
    ),
    renamed_flag("--setup", "--install-engine"),
    option(
        MACHINE, "--wait-for-lock", is_flag=True,
        help="Wait while another kit measures or works here.",
    ),
    renamed_flag("--wait", "--wait-for-lock"),
    option(IMAGES, "--strict", is_flag=True, help="Refuse substitutes."),
    option(
        IMAGES, "--set", "settings", multiple=True, metavar="NAME=VALUE",
        help="A setting of the kit's recipes; repeatable. nuget_source: folder or URL with "
        "Keras.NET's packages.",
    ),
    click.option(
        "--nuget-source", "old_settings", default="", hidden=True, callback=_nuget_source
    ),
    option(
        IMAGES, "--mirror", "mirrors", multiple=True, metavar="HOST[/PREFIX]",
        help="A registry to ask for base images first, by digest; repeatable. "
        "Else KIT_MIRROR (A,B).",
    ),
    option(OUTPUT, "-v", "--verbose", is_flag=True, help="Print all output of builds too."),
)  # fmt: skip
