"""From a study's arms to images that can be run, and how true they are to the study."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kit.engine.protocol import Engine, ImageInfo
from kit.errors import ImageError, InputError
from kit.images.bootstrap import Bootstrap
from kit.images.candidates import Attempt, Resolution, Resolver
from kit.images.context import Context, recipes
from kit.images.fidelity import ArmImage, Component, DotnetParts, PythonParts, fidelity
from kit.images.hostnet import HostNet
from kit.images.recipe import Recipe, build_recipe, find_built
from kit.pins.load import Pins
from kit.study.model import Arm, Study

Say = Callable[[str], None]
_LIBPYTHON = {"cp38": "libpython3.8.so.1.0", "cp39": "libpython3.9.so.1.0"}


@dataclass(frozen=True)
class Options:
    """``strict`` refuses substitutes; ``nuget_source`` is a folder or URL, or empty.

    ``mirrors`` are registries (``HOST[:PORT][/PREFIX]``) asked before a base's own.
    ``ensure_tools`` is called before a bootstrap base is made; it may install
    what that needs where the user allowed it.
    """

    strict: bool = False
    nuget_source: str = ""
    ensure_tools: Callable[[], None] = lambda: None
    mirrors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Images:
    """An image for every arm, and the fidelity table."""

    arms: Mapping[str, ArmImage]
    fidelity: tuple[Component, ...]


@dataclass(frozen=True)
class _Python:
    base: ImageInfo
    lock: str
    image: ImageInfo
    parts: PythonParts


class Builder:
    """Builds the arms of a study, in the order they rest on each other."""

    def __init__(
        self, engine: Engine, pins: Pins, net: HostNet, options: Options, say: Say
    ) -> None:
        self._engine = engine
        self._pins = pins
        self._net = net
        self._options = options
        self._say = say
        self._resolver = Resolver(engine, pins, say, options.mirrors)
        self._bootstrap = Bootstrap(engine, pins, net, say, options.ensure_tools)

    def build(self, study: Study, arms: tuple[str, ...]) -> Images:
        """Images for those arms. Raises HostError or ImageError."""
        chosen = [study.arms[name] for name in arms]
        _check_nuget_source(self._options.nuget_source)
        python = self._python()
        images = {"python": python.image}
        dotnet = None
        if any(arm.stack == "dotnet" for arm in chosen):
            images["dotnet"], dotnet = self._dotnet(python)
        return Images(
            arms={arm.name: _arm_image(arm, images[arm.stack]) for arm in chosen},
            fidelity=fidelity(study.paper.environment, self._pins.tensorflow, python.parts, dotnet),
        )

    def _python(self) -> _Python:
        resolution = self._resolver.resolve("python")
        if resolution.image is not None and resolution.candidate is not None:
            base, lock, provides = resolution.image, "cp38", resolution.candidate.provides
            first = self._pins.roles["python"][0]
            exact = resolution.candidate == first
            if not exact:
                self._refuse_if_strict("the Python base", resolution)
            why = "had by digest" if exact else _why(resolution.attempts)
        else:
            self._refuse_if_strict("the Python base", resolution)
            made = self._bootstrap.python()
            base, lock, exact = made.image, made.lock, False
            provides = {"python": made.python, "os": made.os}
            why = f"{made.why} ({_why(resolution.attempts)})"
        context = _context("python", skip=("requirements.in",))
        self._net.add_to(context)
        args = {"PYTHON_BASE": base.id, "LOCK": lock, "LIBPYTHON": _LIBPYTHON[lock]}
        recipe = Recipe("python-cpu", context, "Dockerfile", args)
        image = build_recipe(self._engine, recipe, self._net, self._say)
        parts = PythonParts(provides["python"], provides["os"], exact, why)
        return _Python(base, lock, image, parts)

    def _dotnet(self, python: _Python) -> tuple[ImageInfo, DotnetParts]:
        sdk = self._resolver.resolve("dotnet-sdk")
        runtime = self._resolver.resolve("dotnet-runtime")
        if sdk.image and runtime.image and runtime.candidate:
            sdk_id, runtime_id, exact = sdk.image.id, runtime.image.id, True
            provides, why = runtime.candidate.provides, "had by digest"
        else:
            self._refuse_if_strict("the .NET bases", sdk, runtime)
            made, provides = self._bootstrap.sdk()
            sdk_id = runtime_id = made.id
            exact = False
            why = f"no registry image could be had ({_why(sdk.attempts + runtime.attempts)})"
        args = {
            "PYTHON_IMAGE": python.image.id,
            "PYTHON_BASE": python.base.id,
            "SDK_IMAGE": sdk_id,
            "RUNTIME_IMAGE": runtime_id,
            "TARGET_FRAMEWORK": provides["framework"],
        }
        binding, binding_why, image = self._with_a_binding(args, python.lock)
        return image, DotnetParts(
            runtime=provides["dotnet"],
            exact=exact,
            why=why,
            binding=binding,
            binding_exact=binding == self._pins.exact_binding,
            binding_why=binding_why,
        )

    def _with_a_binding(self, args: Mapping[str, str], lock: str) -> tuple[str, str, ImageInfo]:
        """Keras.NET when its packages can be had, else pythonnet alone."""
        tried = self._try_exact_binding(args, lock)
        if isinstance(tried, ImageInfo):
            source = self._options.nuget_source or "NuGet's default feed"
            return self._pins.exact_binding, f"its packages were restored from {source}", tried
        if self._options.strict:
            raise ImageError(
                f"--strict: the binding would be {self._pins.substitute_binding}: {tried}",
                "name a feed with Keras.NET 3.8.5 by --nuget-source, or leave out --strict",
            )
        recipe = self._dotnet_recipe(args, "PythonNet")
        image = build_recipe(self._engine, recipe, self._net, self._say)
        return self._pins.substitute_binding, tried, image

    def _try_exact_binding(self, args: Mapping[str, str], lock: str) -> ImageInfo | str:
        """The image with Keras.NET, or why it cannot be had.

        Asking an unreachable feed takes its time, so an equal substitute built
        before answers for it; naming a feed asks again.
        """
        if lock != "cp38":
            return f"Keras.NET loads Python 3.8 only, the base has {lock}"
        exact = self._dotnet_recipe(args, "KerasNet")
        substitute = self._dotnet_recipe(args, "PythonNet")
        asked_before = (
            not self._options.nuget_source
            and find_built(self._engine, exact) is None
            and find_built(self._engine, substitute) is not None
        )
        if asked_before:
            return "Keras.NET's packages could not be had when this image was built"
        try:
            return build_recipe(self._engine, exact, self._net, self._say)
        except ImageError as error:
            return f"Keras.NET's packages could not be had: {error.problem}"

    def _dotnet_recipe(self, args: Mapping[str, str], binding: str) -> Recipe:
        context = _context("dotnet")
        self._net.add_to(context)
        all_args = {**args, "BINDING": binding}
        if binding == "KerasNet":
            all_args["NUGET_SOURCE"] = _nuget_source(context, self._options.nuget_source)
        else:
            # Nothing comes from NuGet: an empty feed keeps the restore offline.
            context.add_bytes(b"", "packages/.keep")
            all_args["NUGET_SOURCE"] = "packages"
        return Recipe(f"dotnet-cpu-{binding.lower()}", context, "Dockerfile", all_args)

    def _refuse_if_strict(self, what: str, *resolutions: Resolution) -> None:
        if self._options.strict:
            tried = _why(tuple(a for r in resolutions for a in r.attempts))
            raise ImageError(
                f"--strict: {what} cannot be had exactly: {tried}",
                "make the registry reachable, or leave out --strict to use substitutes",
            )


def _arm_image(arm: Arm, image: ImageInfo) -> ArmImage:
    reference = image.tags[0] if image.tags else image.id
    return ArmImage(arm.name, reference, image.id, image.size_bytes)


def _why(attempts: tuple[Attempt, ...]) -> str:
    return "; ".join(f"{a.candidate}: {a.reason}" for a in attempts)


def _context(recipe: str, skip: tuple[str, ...] = ()) -> Context:
    """The recipe's folder; the host's own files are added by its HostNet."""
    context = Context()
    context.add_folder(recipes() / recipe, skip=skip)
    return context


def _nuget_source(context: Context, source: str) -> str:
    """The NUGET_SOURCE argument: a folder travels inside the context."""
    if not source or "://" in source:
        return source
    for package in sorted(Path(source).glob("*.nupkg")):
        context.add_file(package, f"packages/{package.name}")
    return "packages"


def _check_nuget_source(source: str) -> None:
    """Before anything is built: minutes later would be late for a mistyped name."""
    if source and "://" not in source and not any(Path(source).glob("*.nupkg")):
        raise InputError(
            f"--nuget-source: {source} is neither a URL nor a folder with .nupkg files",
            "name the feed's address, or the folder that holds the packages",
        )
