"""Options of every command that builds images or measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from kit.cli.renamed import renamed_flag, say_renamed
from kit.cli.topics import IMAGES, MACHINE, option

if TYPE_CHECKING:  # heavy: `kit --help` must not wait for them
    from kit.images.build.arms import Options


@dataclass(frozen=True)
class ImageOptions:
    """Options of the command line on the engine and the images.

    ``install_engine`` allows the kit to install missing tools, ``wait_for_lock`` waits for
    another kit that holds the lock; the others are as in `kit.images.build.arms.Options`,
    ``settings`` and ``mirrors`` unchecked.
    """

    install_engine: bool
    wait_for_lock: bool
    strict: bool
    settings: tuple[str, ...]
    mirrors: tuple[str, ...]


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
        help="Wait while another kit measures on this machine, or works in the folder.",
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
)  # fmt: skip


def image_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which gets them as ``images``, an `ImageOptions`."""

    @wraps(command)
    def typed(
        *,
        install_engine: bool,
        wait_for_lock: bool,
        strict: bool,
        settings: tuple[str, ...],
        old_settings: tuple[str, ...],
        mirrors: tuple[str, ...],
        **others: Any,
    ) -> Any:
        images = ImageOptions(
            install_engine, wait_for_lock, strict, (*settings, *old_settings), mirrors
        )
        return command(images=images, **others)

    for add in reversed(_OPTIONS):
        typed = add(typed)
    return typed


def was_given(name: str) -> bool:
    """Return whether the user gave that option of the current command."""
    source = click.get_current_context().get_parameter_source(name)
    return source is click.core.ParameterSource.COMMANDLINE


def build_options(images: ImageOptions) -> Options:
    """Return the builder's options, with the bundle that was loaded last.

    They install tools only with ``install_engine``. Raises InputError for an invalid setting
    or mirror, and for a damaged bundle.
    """
    from kit.cli.streams import say
    from kit.environment import data_folder, variables
    from kit.host.setup import ensure_bootstrap_tools
    from kit.images.bases.candidates import parse_mirrors
    from kit.images.build.arms import Options
    from kit.images.build.binding import NUGET_SOURCE, parse_settings
    from kit.images.bundle.load import loaded

    def install() -> None:
        if images.install_engine:
            ensure_bootstrap_tools(say)

    return Options(
        strict=images.strict,
        nuget_source=parse_settings(images.settings).get(NUGET_SOURCE, ""),
        ensure_tools=install,
        mirrors=parse_mirrors(images.mirrors, variables()),
        bundle=loaded(data_folder()),
    )
