"""Options that several commands have, and the types of files and folders a user names."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from kit.cli.topics import IMAGES, MACHINE, option
from kit.errors import InputError
from kit.files.plain import open_named, refuse_large, refuse_other

if TYPE_CHECKING:  # heavy: `kit --help` must not wait for them
    from kit.images.build.arms import Options

_OPTIONS = (
    option(
        MACHINE, "--setup", "with_setup", is_flag=True, help="Install and start what is missing."
    ),
    option(
        MACHINE, "--wait", is_flag=True,
        help="Wait while another kit measures on this machine, or works in the folder.",
    ),
    option(IMAGES, "--strict", is_flag=True, help="Refuse substitutes."),
    option(
        IMAGES, "--nuget-source", default="", metavar="FEED",
        help="Folder or URL with Keras.NET's packages.",
    ),
    option(
        IMAGES, "--mirror", "mirrors", multiple=True, metavar="HOST[/PREFIX]",
        help="A registry to ask for base images first, by digest; repeatable. "
        "Else KIT_MIRROR (A,B).",
    ),
)  # fmt: skip


def image_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command; they reach it as keywords."""
    for add in reversed(_OPTIONS):
        command = add(command)
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


SMALL_FILE = 10_000_000
"""Bytes of a key, a list of signers or a lock file of packages: more than any has."""


class _Named(click.Path):
    """A path that is refused by name where something else than asked for is there."""

    def __init__(self, wanted: int, exists: bool, limit: int | None = None) -> None:
        folder = wanted == stat.S_IFDIR
        super().__init__(exists=exists, file_okay=not folder, dir_okay=folder, path_type=Path)
        self._wanted = wanted
        self._limit = limit

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path. Raise InputError for a pipe, a socket, a device, or what is large."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        try:
            self._check(path)
        except FileNotFoundError:
            if self.exists:
                raise
        except (OSError, ValueError) as error:
            self._unreadable(path, error)
        return path

    def _check(self, path: Path) -> None:
        refuse_other(path, path.stat(), self._wanted)
        if self._limit is not None:
            descriptor = open_named(path)
            try:
                refuse_large(path, os.fstat(descriptor), self._limit)
            finally:
                os.close(descriptor)

    def _unreadable(self, path: Path, error: Exception) -> NoReturn:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({reason})", "name another path") from error


FOLDER = _Named(stat.S_IFDIR, exists=True)
NEW_FOLDER = _Named(stat.S_IFDIR, exists=False)
FILE = _Named(stat.S_IFREG, exists=True)
"""Of any size: whoever reads it bounds what is read."""
SMALL = _Named(stat.S_IFREG, exists=True, limit=SMALL_FILE)
NEW_FILE = _Named(stat.S_IFREG, exists=False)
