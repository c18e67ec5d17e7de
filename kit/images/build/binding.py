"""The binding of the dotnet arms: Keras.NET if its packages are available, else pythonnet.

Users set the feed of these packages by name: ``--set NAME=VALUE``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kit.engine.connection import message_line
from kit.engine.images import is_step
from kit.engine.protocol import ImageInfo
from kit.errors import ContentError, ImageError, InputError
from kit.images.build.recipe import (
    DOTNET,
    EXACT,
    SUBSTITUTE,
    Context,
    Recipe,
    Tools,
    build_recipe,
    dotnet_name,
    find_built,
    recipes,
)
from kit.study.model import CPU, Variant

# NuGet's codes for a package that differs from its recorded hash, for a lock file that does
# not match the requested packages, and for a package changed since it was signed.
_HASH_REFUSED = re.compile(r"NU1403|NU1004|NU3008")
_SHOWN = 200  # characters before the match, and from its start on
# Codes of the compiler and the SDK: the packages were restored, the program did not compile.
_NOT_COMPILED = re.compile(r"error (CS|NETSDK)\d")
NUGET_SOURCE = "nuget_source"
"""Name of the setting for the feed of Keras.NET's packages, a folder or a URL."""
NAMES = (NUGET_SOURCE,)
_KNOWN = f"the kit's recipes know: {', '.join(NAMES)}"


@dataclass(frozen=True)
class BindingChoice:
    """Dotnet images by variant, and the binding that all of them have."""

    images: Mapping[Variant, ImageInfo]
    name: str
    exact: bool
    why: str
    details: tuple[str, ...]
    project: str
    """Name of the binding in the C# project: ``EXACT`` or ``SUBSTITUTE``."""


@dataclass(frozen=True)
class _NotHad:
    """Reason why there is no exact binding, and the answers of its sources."""

    why: str
    details: tuple[str, ...] = ()


class Bindings:
    """Builder of dotnet images. ``source`` is a folder or URL of NuGet packages, or empty."""

    def __init__(self, tools: Tools, source: str, strict: bool) -> None:
        self._tools = tools
        self._source = source
        self._strict = strict

    def build(self, variants: Mapping[Variant, Mapping[str, str]], lock: str) -> BindingChoice:
        """Build the dotnet image of each variant; ``variants`` has the recipe's arguments.

        ``lock`` is that of the Python base. All get the same binding, because otherwise CPU and
        GPU could not be compared. Raises ImageError if neither binding can be built, if only
        the substitute can and ``strict`` is set, or if the exact one's packages are refused or
        do not compile.
        """
        exact: dict[Variant, ImageInfo] = {}
        for variant, args in variants.items():
            tried = self._try_exact(variant, args, lock)
            if isinstance(tried, _NotHad):
                return self._substitutes(variants, tried)
            exact[variant] = tried
        source = self._source or "NuGet's default feed"
        why = f"its packages were restored from {source}"
        return BindingChoice(exact, self._tools.pins.exact_binding, True, why, (), EXACT)

    def _substitutes(
        self, variants: Mapping[Variant, Mapping[str, str]], tried: _NotHad
    ) -> BindingChoice:
        pins = self._tools.pins
        if self._strict:
            raise ImageError(
                f"--strict: the binding would be {pins.substitute_binding}: "
                + "; ".join((tried.why, *tried.details)),
                "name a feed with Keras.NET 3.8.5 by --set nuget_source=FEED, or leave out "
                "--strict",
            )
        self._tools.say(
            f"{pins.exact_binding} is not available here, which a substitute covers: "
            f"building with {pins.substitute_binding}"
        )
        images = {
            variant: build_recipe(self._tools, self._recipe(variant, args, SUBSTITUTE))
            for variant, args in variants.items()
        }
        return BindingChoice(
            images, pins.substitute_binding, False, tried.why, tried.details, SUBSTITUTE
        )

    def executable(self, args: Mapping[str, str], binding: str, bare: ImageInfo) -> ImageInfo:
        """Build the image with only the program, as an executable, on that bare Debian.

        ``args`` are those of the arm whose build it shares. Raises ImageError if it cannot be
        built, ContentError for packages that differ from the recorded ones.
        """
        arm = self._recipe(CPU, args, binding)
        recipe = replace(
            arm,
            name="executable",
            args={**arm.args, "BARE_IMAGE": bare.id},
            target="executable",
        )
        try:
            return build_recipe(self._tools, recipe)
        except ImageError as error:
            _check_refused(error)
            raise

    def _try_exact(
        self, variant: Variant, args: Mapping[str, str], lock: str
    ) -> ImageInfo | _NotHad:
        """Build the image with Keras.NET, or return why it is not available.

        An unreachable feed takes long to fail, so without ``source`` and ``strict`` an earlier
        substitute counts as proof that the feed is unreachable.
        """
        if lock != "cp38":
            return _NotHad(f"Keras.NET loads Python 3.8 only, the base has {lock}")
        exact = self._recipe(variant, args, EXACT)
        asked_before = (
            not self._source
            and not self._strict
            and find_built(self._tools.engine, exact) is None
            and find_built(self._tools.engine, self._recipe(variant, args, SUBSTITUTE)) is not None
        )
        if asked_before:
            return _NotHad("the packages of Keras.NET were not available when kit built this image")
        try:
            return build_recipe(self._tools, exact)
        except ImageError as error:
            _check_refused(error)
            not_compiled = _complaint(error.output, _NOT_COMPILED)
            if not_compiled:
                raise ImageError(
                    f"the C# program does not build with Keras.NET: {not_compiled}",
                    "this is a fault of the kit or of the feed's packages: report it, or name "
                    "another feed by --set nuget_source=FEED",
                ) from error
            return _NotHad("the packages of Keras.NET are not available", (error.problem,))

    def _recipe(self, variant: Variant, args: Mapping[str, str], binding: str) -> Recipe:
        context = Context()
        context.add_folder(recipes() / DOTNET)
        self._tools.net.add_to(context)
        all_args = {**args, "BINDING": binding}
        if binding == EXACT:
            all_args["NUGET_SOURCE"] = _nuget_source(context, self._source)
        else:
            # The substitute needs no NuGet package: an empty feed keeps the restore offline.
            context.add_bytes(b"", "packages/.keep")
            all_args["NUGET_SOURCE"] = "packages"
        return Recipe(dotnet_name(variant, binding), context, "Dockerfile", all_args, target="arm")


def check_nuget_source(source: str) -> None:
    """Raise InputError for a folder without packages, before minutes are spent on building."""
    if source and "://" not in source and not any(Path(source).glob("*.nupkg")):
        raise InputError(
            f"--set nuget_source={source}: neither a URL nor a folder with .nupkg files",
            "name the feed's address, or the folder that holds the packages",
        )


def parse_settings(given: Sequence[str]) -> Mapping[str, str]:
    """Return the value of each given setting, by its name.

    ``given`` are the values of ``--set``. Raises InputError for a value not of the form
    ``NAME=VALUE``, an unknown name, and a name given twice.
    """
    settings: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--set: {text!r} is not of the form NAME=VALUE", _KNOWN)
        if name not in NAMES:
            raise InputError(f"--set: there is no setting {name!r}", _KNOWN)
        if name in settings:
            raise InputError(f"--set: {name} is given twice", "give it once")
        settings[name] = value
    return settings


def _complaint(output: Sequence[str], words: re.Pattern[str]) -> str:
    """Return the excerpt around the first match in a builder's output, for messages; "" if none.

    Ignores lines that begin a step: the recipe's command itself may contain the pattern.
    """
    lines = (line for line in output if not is_step(line))
    line, found = next(((line, at) for line in lines if (at := words.search(line))), ("", None))
    if found is None:
        return ""
    return message_line(line[max(found.start() - _SHOWN, 0) : found.start() + _SHOWN])


def _check_refused(error: ImageError) -> None:
    """Raise ContentError if a build failed because NuGet refused packages.

    Unlike an unreachable feed, this must not lead to a substitute.
    """
    refused = _complaint(error.output, _HASH_REFUSED)
    if refused:
        raise ContentError(
            f"the packages are not the recorded ones: {refused}",
            "use the feed that the hashes were recorded from; if the change is meant, "
            "record it: kit lock --nuget-lock",
        ) from error


def _nuget_source(context: Context, source: str) -> str:
    """Return the NUGET_SOURCE argument; copy a folder's packages into the context."""
    if not source or "://" in source:
        return source
    for package in sorted(Path(source).glob("*.nupkg")):
        context.add_file(package, f"packages/{package.name}")
    return "packages"
