"""The options of every command that builds images, and what they mean to the builder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:  # heavy: `kit --help` must not wait for them
    from kit.images.build.arms import Options

_OPTIONS = (
    click.option(
        "--setup", "with_setup", is_flag=True, help="Install and start what is missing."
    ),
    click.option(
        "--wait", is_flag=True,
        help="Wait while another kit measures on this machine, or works in the folder.",
    ),
    click.option("--strict", is_flag=True, help="Refuse substitutes."),
    click.option(
        "--nuget-source", default="", metavar="FEED",
        help="Folder or URL with Keras.NET's packages.",
    ),
    click.option(
        "--mirror", "mirrors", multiple=True, metavar="HOST[/PREFIX]",
        help="A registry to ask for base images first, by digest; repeatable. "
        "Else KIT_MIRROR (A,B).",
    ),
)  # fmt: skip


def image_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command; they reach it as keywords."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def was_given(name: str) -> bool:
    """Whether that option of the current command stands on the command line."""
    source = click.get_current_context().get_parameter_source(name)
    return source is click.core.ParameterSource.COMMANDLINE


def build_options(values: Mapping[str, Any]) -> Options:
    """The builder's options, with the bundle that was loaded last.

    Tools are installed only where setup was asked for.

    Raises InputError for a mirror that is none.
    """
    from kit.cli.runtime import say
    from kit.environment import data_folder, variables
    from kit.host.setup import ensure_bootstrap_tools
    from kit.images.bases.mirrors import parse_mirrors
    from kit.images.build.arms import Options
    from kit.images.bundle.store import loaded

    def install() -> None:
        if values["with_setup"]:
            ensure_bootstrap_tools(say)

    return Options(
        strict=values["strict"],
        nuget_source=values["nuget_source"],
        ensure_tools=install,
        mirrors=parse_mirrors(values["mirrors"], variables()),
        bundle=loaded(data_folder()),
    )
