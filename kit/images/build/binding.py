"""The binding of the dotnet arms: Keras.NET when its packages can be had, else pythonnet."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kit.engine.failures import one_line
from kit.engine.images import is_step
from kit.engine.protocol import ImageInfo
from kit.errors import ContentError, ImageError, InputError
from kit.images.build.context import Context, recipes
from kit.images.build.recipe import Recipe, build_recipe, find_built
from kit.images.names import DOTNET, EXACT, SUBSTITUTE, dotnet_name
from kit.images.tools import Tools
from kit.study.model import CPU, Variant

# NuGet's words for a package that differs from its recorded hash, for a lock file that
# another set of packages was asked for with, and for one changed since it was signed.
_HASH_REFUSED = re.compile(r"NU1403|NU1004|NU3008")
_SHOWN = 200  # characters before the word, and from there on
# The compiler's and the SDK's words: the packages were there, the program did not fit them.
_NOT_COMPILED = re.compile(r"error (CS|NETSDK)\d")


@dataclass(frozen=True)
class BindingChoice:
    """The dotnet image of every variant, and the binding that all of them have."""

    images: Mapping[Variant, ImageInfo]
    name: str
    exact: bool
    why: str
    details: tuple[str, ...]
    project: str
    """What the project calls the binding: ``EXACT`` or ``SUBSTITUTE``."""


@dataclass(frozen=True)
class _NotHad:
    """Why there is no exact binding, and what was answered where it was asked for."""

    why: str
    details: tuple[str, ...] = ()


def _complaint(output: Sequence[str], words: re.Pattern[str]) -> str:
    """The first place in a builder's output with those words, to be shown; "" without one.

    A line that begins a step is the recipe's own: its command may name what it looks for.
    """
    lines = (line for line in output if not is_step(line))
    line, found = next(((line, at) for line in lines if (at := words.search(line))), ("", None))
    if found is None:
        return ""
    return one_line(line[max(found.start() - _SHOWN, 0) : found.start() + _SHOWN])


def _check_refused(error: ImageError) -> None:
    """Raise ContentError where a failed build was refused packages.

    That is not the same as a feed that does not answer: no substitute hides it.
    """
    refused = _complaint(error.output, _HASH_REFUSED)
    if refused:
        raise ContentError(
            f"the packages are not the recorded ones: {refused}",
            "use the feed that the hashes were recorded from; if the change is meant, "
            "record it: kit lock --nuget-lock",
        ) from error


class Bindings:
    """Builds dotnet images. ``source`` is a folder or URL of NuGet packages, or empty."""

    def __init__(self, tools: Tools, source: str, strict: bool) -> None:
        self._tools = tools
        self._source = source
        self._strict = strict

    def build(self, variants: Mapping[Variant, Mapping[str, str]], lock: str) -> BindingChoice:
        """The dotnet image of each variant, which maps to the recipe's arguments.

        ``lock`` is the Python's. All get the same binding, or CPU and GPU could not
        be compared. Raises ImageError where neither binding can be built, only the
        substitute and the exact one is insisted on, or the exact one's packages are
        there and are refused or do not compile.
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
        """The program as an executable, alone on that bare Debian.

        ``args`` are those of the arm whose build it shares. Raises ImageError where it cannot
        be built, ContentError for packages that are not the recorded ones.
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
        """The image with Keras.NET, or why it cannot be had.

        Asking an unreachable feed takes its time, so an equal substitute built
        before answers for it; naming a feed, or insisting, asks again.
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
            return _NotHad("Keras.NET's packages could not be had when this image was built")
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
            return _NotHad("Keras.NET's packages could not be had", (error.problem,))

    def _recipe(self, variant: Variant, args: Mapping[str, str], binding: str) -> Recipe:
        context = Context()
        context.add_folder(recipes() / DOTNET)
        self._tools.net.add_to(context)
        all_args = {**args, "BINDING": binding}
        if binding == EXACT:
            all_args["NUGET_SOURCE"] = _nuget_source(context, self._source)
        else:
            # Nothing comes from NuGet: an empty feed keeps the restore offline.
            context.add_bytes(b"", "packages/.keep")
            all_args["NUGET_SOURCE"] = "packages"
        return Recipe(dotnet_name(variant, binding), context, "Dockerfile", all_args, target="arm")


def check_nuget_source(source: str) -> None:
    """Before anything is built: minutes later would be late for a mistyped name."""
    if source and "://" not in source and not any(Path(source).glob("*.nupkg")):
        raise InputError(
            f"--set nuget_source={source}: neither a URL nor a folder with .nupkg files",
            "name the feed's address, or the folder that holds the packages",
        )


def _nuget_source(context: Context, source: str) -> str:
    """The NUGET_SOURCE argument: a folder travels inside the context."""
    if not source or "://" in source:
        return source
    for package in sorted(Path(source).glob("*.nupkg")):
        context.add_file(package, f"packages/{package.name}")
    return "packages"
