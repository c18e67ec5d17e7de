"""Building runnable images of a study's arms, and their fidelity to the study."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kit.engine.protocol import ImageInfo
from kit.errors import ContentError, ImageError, InputError
from kit.images.bases.bootstrap import Bootstrap
from kit.images.bases.candidates import Resolver
from kit.images.bases.resolve import DOTNET_ROLES, Bases
from kit.images.build.binding import BindingChoice, Bindings, check_nuget_source
from kit.images.build.dockerfiles import build_study_images, refuse_substitutes
from kit.images.build.recipe import (
    DOTNET,
    PYTHON,
    Context,
    Recipe,
    Tools,
    build_recipe,
    python_name,
    recipes,
)
from kit.images.bundle.document import Base, Bundle, Substitutes
from kit.images.fidelity import Part, fidelity
from kit.pins.load import refuse_edited_lists
from kit.records.images import ArmImage, Component
from kit.study.folder import PINS, Declared, open_study, study_pins
from kit.study.model import CPU, Arm, Study, Variant
from kit.together import together

LIBPYTHON = {"cp38": "libpython3.8.so.1.0", "cp39": "libpython3.9.so.1.0"}


@dataclass(frozen=True)
class BuildOptions:
    """Options of a build. ``strict`` refuses substitutes.

    ``nuget_source`` is a folder or URL, or empty. ``mirrors`` are registries
    (``HOST[:PORT][/PREFIX]``) to query before a base's own. ``ensure_tools`` is called before
    a bootstrap base is made; it may install tools if the user allowed it. ``bundle`` is the
    loaded one.
    """

    strict: bool = False
    nuget_source: str = ""
    ensure_tools: Callable[[], None] = lambda: None
    mirrors: tuple[str, ...] = ()
    bundle: Bundle | None = None


@dataclass(frozen=True)
class Images:
    """Images of the arms, the fidelity table, and the base of every role used.

    ``executable`` is the .NET program as an executable on a Debian with nothing else; None if
    there is none. ``nuget_source`` is the feed in use: the one named, else the loaded
    bundle's.
    """

    arms: Mapping[str, ArmImage]
    fidelity: tuple[Component, ...]
    bases: Mapping[str, Base] = field(default_factory=dict)
    nuget_source: str = ""
    executable: ArmImage | None = None


class Builder:
    """Builder of a study's arms and the images they are based on."""

    def __init__(self, tools: Tools, options: BuildOptions) -> None:
        self._tools = tools
        self._options = options
        bundle = options.bundle
        bootstrap = Bootstrap(tools, options.ensure_tools)
        resolver = Resolver(tools, options.mirrors, bundle)
        self._bases = Bases(tools.pins, resolver, Substitutes(tools.engine, bundle, bootstrap))
        self._nuget_source = options.nuget_source or (bundle.nuget_source if bundle else "")
        self._bindings = Bindings(tools, self._nuget_source, options.strict)

    def build(self, study: Study, arms: tuple[str, ...]) -> Images:
        """Build the images of those arms. Raises HostError, ImageError, InputError.

        With ``strict``, a base that is not available exactly is refused before any build. The
        binding can be checked only by restoring its packages on those bases, so it is refused
        later, after the python images are built.
        """
        chosen = [study.arms[name] for name in arms]
        if any(arm.recipe is not None for arm in chosen):
            return self._own(study, chosen)
        _refuse_without_recipe(chosen)
        refuse_edited_lists(recipes(), self._tools.pins)
        check_nuget_source(self._nuget_source)
        with_dotnet = any(arm.stack == DOTNET for arm in chosen)
        roles = (PYTHON, *DOTNET_ROLES) if with_dotnet else (PYTHON,)
        if self._options.strict:
            self._bases.refuse_substitutes(roles)
        variants = dict.fromkeys(arm.variant for arm in chosen)
        pythons = self._pythons_and_bases(variants, with_dotnet)
        images = {PYTHON: pythons}
        binding = executable = None
        if with_dotnet:
            wanted = {arm.variant for arm in chosen if arm.stack == DOTNET}
            binding = self._dotnet({v: image for v, image in pythons.items() if v in wanted})
            images[DOTNET] = dict(binding.images)
            executable = self._executable(pythons, binding)
        return Images(
            arms={arm.name: _arm_image(arm, images[arm.stack][arm.variant]) for arm in chosen},
            fidelity=self._fidelity(study, variants, binding),
            bases=self._bases.used(roles),
            nuget_source=self._nuget_source,
            executable=executable,
        )

    def _own(self, study: Study, chosen: Sequence[Arm]) -> Images:
        """Build the images with the study's own Dockerfiles."""
        if self._options.strict:
            refuse_substitutes(study, chosen, self._bases)
        images, rows = build_study_images(self._tools, study, chosen, self._bases)
        return Images(arms=images, fidelity=rows)

    def _pythons_and_bases(
        self, variants: Iterable[Variant], with_dotnet: bool
    ) -> dict[Variant, ImageInfo]:
        """Return the python image of each variant, making the .NET bases concurrently."""
        pythons: dict[Variant, ImageInfo] = {}

        def make_pythons() -> None:
            for variant in variants:
                pythons[variant] = self._python(variant)

        def make_dotnet_bases() -> None:
            # The bare one first: a substitute SDK rests on the Python base.
            _ = self._bases.bare, self._bases.dotnet

        together(make_pythons, *((make_dotnet_bases,) if with_dotnet else ()))
        return pythons

    def _python(self, variant: Variant) -> ImageInfo:
        base = self._bases.python
        context = Context()
        # The locks of other interpreters and variants do not affect this image.
        locks = {f"requirements-{base.lock}.txt", f"tensorflow-{variant}-{base.lock}.txt"}
        folder = recipes() / PYTHON
        others = {path.name for path in folder.glob("*-cp*.txt")} - locks
        context.add_folder(folder, skip=("requirements.in", *sorted(others)))
        self._tools.net.add_to(context)
        args = {
            "PYTHON_BASE": base.image.id,
            "LOCK": base.lock,
            "LIBPYTHON": LIBPYTHON[base.lock],
            "VARIANT": variant,
        }
        recipe = Recipe(python_name(variant), context, "Dockerfile", args)
        return build_recipe(self._tools, recipe)

    def _dotnet(self, pythons: Mapping[Variant, ImageInfo]) -> BindingChoice:
        """Build the dotnet images of the variants of these python images."""
        variants = {v: self._dotnet_args(image) for v, image in pythons.items()}
        return self._bindings.build(variants, self._bases.python.lock)

    def _executable(
        self, pythons: Mapping[Variant, ImageInfo], binding: BindingChoice
    ) -> ArmImage | None:
        """Return the executable's image; None without a CPU variant or if its build fails.

        Without it one claim cannot be tested, the others can. Raises ContentError for packages
        that differ from the recorded ones.
        """
        if CPU not in binding.images:
            return None
        args = self._dotnet_args(pythons[CPU])
        try:
            image = self._bindings.executable(args, binding.project, self._bases.bare)
        except ContentError:
            raise
        except ImageError as error:
            self._tools.say(f"no executable: {error.problem}")
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
        self, study: Study, variants: Collection[str], binding: BindingChoice | None
    ) -> tuple[Component, ...]:
        python = self._bases.python
        parts: dict[str, Part | None] = {
            PYTHON: Part(f"CPython {python.python}", python.exact, python.why, python.details),
            DOTNET: None,
            "binding": None,
        }
        if binding is not None:
            dotnet = self._bases.dotnet
            parts[DOTNET] = Part(f".NET {dotnet.version}", dotnet.exact, dotnet.why, dotnet.details)
            parts["binding"] = Part(binding.name, binding.exact, binding.why, binding.details)
        facts = {"os": python.os, "tensorflow": self._tools.pins.tensorflow}
        return fidelity(study.paper.environment, _declared(study), parts, variants, facts)


def _refuse_without_recipe(arms: Sequence[Arm]) -> None:
    """Raise InputError for an arm that neither the study nor the kit has a recipe for."""
    for arm in arms:
        if arm.stack not in (PYTHON, DOTNET):
            raise InputError(
                f"arm {arm.name}: it has no recipe, and kit has none for the stack {arm.stack}",
                "give each arm of the study the folder of its Dockerfile (recipe)",
            )


def _declared(study: Study) -> Mapping[str, Declared]:
    """Return what the pins.yaml of a study on the kit's recipes declares; {} without one."""
    if study.folder is None:
        return {}
    with open_study(study.folder) as opened:
        silent = not opened.holds(PINS)
    return {} if silent else study_pins(study.folder).components


def _arm_image(arm: Arm, image: ImageInfo) -> ArmImage:
    reference = image.tags[0] if image.tags else image.id
    return ArmImage(arm.name, reference, image.id, image.size_bytes)
