"""From a study's arms to images that can be run, and how true they are to the study."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kit.engine.protocol import Engine, ImageInfo
from kit.errors import ImageError
from kit.images.bases import DOTNET_ROLES, Bases
from kit.images.binding import BindingChoice, Bindings, check_nuget_source
from kit.images.bootstrap import Bootstrap
from kit.images.bundled import Base, Bundle, Substitutes
from kit.images.candidates import Resolver
from kit.images.context import Context, recipes
from kit.images.fidelity import ArmImage, Component, DotnetParts, PythonParts, fidelity
from kit.images.hostnet import HostNet
from kit.images.own import build_own, refuse_substitutes
from kit.images.recipe import Recipe, build_recipe
from kit.pins.load import Pins, refuse_edited_lists
from kit.study.model import Arm, Study

Say = Callable[[str], None]
LIBPYTHON = {"cp38": "libpython3.8.so.1.0", "cp39": "libpython3.9.so.1.0"}


@dataclass(frozen=True)
class Options:
    """``strict`` refuses substitutes; ``nuget_source`` is a folder or URL, or empty.

    ``mirrors`` are registries (``HOST[:PORT][/PREFIX]``) asked before a base's own.
    ``ensure_tools`` is called before a bootstrap base is made; it may install
    what that needs where the user allowed it. ``bundle`` is the one that was loaded.
    """

    strict: bool = False
    nuget_source: str = ""
    ensure_tools: Callable[[], None] = lambda: None
    mirrors: tuple[str, ...] = ()
    bundle: Bundle | None = None


@dataclass(frozen=True)
class Images:
    """An image for every arm, the fidelity table, and the base of every role used.

    ``executable`` is the .NET program as an executable on a Debian with nothing else;
    None without a dotnet arm. ``nuget_source`` is the feed in use: the one named, else
    the loaded bundle's.
    """

    arms: Mapping[str, ArmImage]
    fidelity: tuple[Component, ...]
    bases: Mapping[str, Base] = field(default_factory=dict)
    nuget_source: str = ""
    executable: ArmImage | None = None


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
        bundle = options.bundle
        bootstrap = Bootstrap(engine, pins, net, say, options.ensure_tools)
        resolver = Resolver(engine, pins, say, options.mirrors, bundle)
        self._bases = Bases(pins, resolver, Substitutes(engine, bundle, bootstrap))
        self._nuget_source = options.nuget_source or (bundle.nuget_source if bundle else "")
        self._bindings = Bindings(engine, pins, net, say, self._nuget_source, options.strict)

    def build(self, study: Study, arms: tuple[str, ...]) -> Images:
        """Images for those arms. Raises HostError or ImageError.

        With ``strict`` a base that cannot be had exactly is refused before anything
        is built. The binding is known only by restoring its packages, on those bases:
        it is refused later, when the python images are there.
        """
        chosen = [study.arms[name] for name in arms]
        if any(arm.recipe is not None for arm in chosen):
            return self._own(study, chosen)
        refuse_edited_lists(recipes(), self._pins)
        check_nuget_source(self._nuget_source)
        with_dotnet = any(arm.stack == "dotnet" for arm in chosen)
        roles = ("python", *DOTNET_ROLES) if with_dotnet else ("python",)
        if self._options.strict:
            self._bases.refuse_substitutes(roles)
        variants = dict.fromkeys(arm.variant for arm in chosen)
        pythons = {variant: self._python(variant) for variant in variants}
        images = {"python": pythons}
        binding = executable = None
        if with_dotnet:
            wanted = {arm.variant for arm in chosen if arm.stack == "dotnet"}
            binding = self._dotnet({v: image for v, image in pythons.items() if v in wanted})
            images["dotnet"] = dict(binding.images)
            executable = self._executable(pythons, binding)
        return Images(
            arms={arm.name: _arm_image(arm, images[arm.stack][arm.variant]) for arm in chosen},
            fidelity=self._fidelity(study, tuple(variants), binding),
            bases=self._bases.used(roles),
            nuget_source=self._nuget_source,
            executable=executable,
        )

    def _own(self, study: Study, chosen: Sequence[Arm]) -> Images:
        """Images by the study's own Dockerfiles."""
        if self._options.strict:
            refuse_substitutes(study, chosen, self._bases)
        images, rows = build_own(self._engine, study, chosen, self._bases, self._net, self._say)
        return Images(arms=images, fidelity=rows)

    def _python(self, variant: str) -> ImageInfo:
        base = self._bases.python
        context = Context()
        # The locks of another interpreter or variant decide nothing of this image.
        locks = {f"requirements-{base.lock}.txt", f"tensorflow-{variant}-{base.lock}.txt"}
        folder = recipes() / "python"
        others = {path.name for path in folder.glob("*-cp*.txt")} - locks
        context.add_folder(folder, skip=("requirements.in", *sorted(others)))
        self._net.add_to(context)
        args = {
            "PYTHON_BASE": base.image.id,
            "LOCK": base.lock,
            "LIBPYTHON": LIBPYTHON[base.lock],
            "VARIANT": variant,
        }
        recipe = Recipe(f"python-{variant}", context, "Dockerfile", args)
        return build_recipe(self._engine, recipe, self._net, self._say)

    def _dotnet(self, pythons: Mapping[str, ImageInfo]) -> BindingChoice:
        """The dotnet images of the variants of these python images."""
        variants = {v: self._dotnet_args(image) for v, image in pythons.items()}
        return self._bindings.build(variants, self._bases.python.lock)

    def _executable(
        self, pythons: Mapping[str, ImageInfo], binding: BindingChoice
    ) -> ArmImage | None:
        """None where it cannot be built: one claim cannot be tested then, all else can."""
        if "cpu" not in binding.images:
            return None
        args = self._dotnet_args(pythons["cpu"])
        try:
            image = self._bindings.executable(args, binding.project, self._bases.bare)
        except ImageError as error:
            self._say(f"no executable: {error.problem}")
            return None
        return ArmImage(
            "executable", image.tags[0] if image.tags else image.id, image.id, image.size_bytes
        )

    def _dotnet_args(self, python: ImageInfo) -> dict[str, str]:
        base, dotnet = self._bases.python, self._bases.dotnet
        return {
            "PYTHON_IMAGE": python.id,
            "PYTHON_BASE": base.image.id,
            "SDK_IMAGE": dotnet.sdk.id,
            "RUNTIME_IMAGE": dotnet.runtime.id,
            "TARGET_FRAMEWORK": dotnet.framework,
        }

    def _fidelity(
        self, study: Study, variants: tuple[str, ...], binding: BindingChoice | None
    ) -> tuple[Component, ...]:
        base = self._bases.python
        dotnet = None
        if binding is not None:
            bases = self._bases.dotnet
            dotnet = DotnetParts(
                runtime=bases.version,
                exact=bases.exact,
                why=bases.why,
                binding=binding.name,
                binding_exact=binding.exact,
                binding_why=binding.why,
            )
        return fidelity(
            study.paper.environment,
            self._pins.tensorflow,
            PythonParts(base.python, base.os, base.exact, base.why),
            dotnet,
            variants,
        )


def _arm_image(arm: Arm, image: ImageInfo) -> ArmImage:
    reference = image.tags[0] if image.tags else image.id
    return ArmImage(arm.name, reference, image.id, image.size_bytes)
