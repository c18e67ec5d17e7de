"""From a study's arms to images that can be run, and how true they are to the study."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kit.engine.protocol import Engine, ImageInfo
from kit.images.bases import DOTNET_ROLES, Bases
from kit.images.binding import BindingChoice, Bindings, check_nuget_source
from kit.images.bootstrap import Bootstrap
from kit.images.candidates import Resolver
from kit.images.context import Context, recipes
from kit.images.fidelity import ArmImage, Component, DotnetParts, PythonParts, fidelity
from kit.images.hostnet import HostNet
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
        bootstrap = Bootstrap(engine, pins, net, say, options.ensure_tools)
        self._bases = Bases(pins, Resolver(engine, pins, say, options.mirrors), bootstrap)
        self._bindings = Bindings(engine, pins, net, say, options.nuget_source, options.strict)

    def build(self, study: Study, arms: tuple[str, ...]) -> Images:
        """Images for those arms. Raises HostError or ImageError.

        With ``strict`` a base that cannot be had exactly is refused before anything
        is built. The binding is known only by restoring its packages, on those bases:
        it is refused later, when the python images are there.
        """
        chosen = [study.arms[name] for name in arms]
        refuse_edited_lists(recipes(), self._pins)
        check_nuget_source(self._options.nuget_source)
        with_dotnet = any(arm.stack == "dotnet" for arm in chosen)
        if self._options.strict:
            roles = ("python", *DOTNET_ROLES) if with_dotnet else ("python",)
            self._bases.refuse_substitutes(roles)
        variants = dict.fromkeys(arm.variant for arm in chosen)
        images = {"python": {variant: self._python(variant) for variant in variants}}
        binding = None
        if with_dotnet:
            wanted = {arm.variant for arm in chosen if arm.stack == "dotnet"}
            binding = self._dotnet(
                {v: image for v, image in images["python"].items() if v in wanted}
            )
            images["dotnet"] = dict(binding.images)
        return Images(
            arms={arm.name: _arm_image(arm, images[arm.stack][arm.variant]) for arm in chosen},
            fidelity=self._fidelity(study, tuple(variants), binding),
        )

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
        base, dotnet = self._bases.python, self._bases.dotnet
        args = {
            "PYTHON_BASE": base.image.id,
            "SDK_IMAGE": dotnet.sdk.id,
            "RUNTIME_IMAGE": dotnet.runtime.id,
            "TARGET_FRAMEWORK": dotnet.framework,
        }
        variants = {v: {**args, "PYTHON_IMAGE": image.id} for v, image in pythons.items()}
        return self._bindings.build(variants, base.lock)

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
