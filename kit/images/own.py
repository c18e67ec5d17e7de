"""The images of a study that brings Dockerfiles of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from kit.engine.protocol import Engine, ImageInfo
from kit.errors import ImageError, InputError
from kit.images.bases import Bases
from kit.images.context import Context
from kit.images.fidelity import UNSTATED, ArmImage, Component
from kit.images.hostnet import HostNet
from kit.images.recipe import Recipe, build_recipe
from kit.study.folder import open_study
from kit.study.model import Arm, Study
from kit.study.pins import OwnBase, OwnPins, own_pins

SHARED = "shared"
"""A folder of the study that every Dockerfile finds in its context."""
PYTHON = "python"
_SILENCE_S = 60.0


def build_own(
    engine: Engine, study: Study, arms: Sequence[Arm], bases: Bases, net: HostNet,
    say: Callable[[str], None],
) -> tuple[dict[str, ArmImage], tuple[Component, ...]]:  # fmt: skip
    """An image for each of those arms, and the fidelity table the study vouches for.

    Raises InputError where arms with and without a recipe are mixed, ImageError where a
    base cannot be had or an image not be built.
    """
    folder = _folder(study, arms)
    pins = own_pins(folder)
    args = {base.argument: _base(engine, base, bases, say).id for base in pins.bases}
    images = {}
    for arm in arms:
        context = _context(folder, arm)
        net.add_to(context)
        recipe = Recipe(f"{study.id}-{arm.name}", context, "Dockerfile", args)
        image = build_recipe(engine, recipe, net, say)
        images[arm.name] = ArmImage(arm.name, recipe.tag, image.id, image.size_bytes)
    return images, fidelity_of(study, pins, bases)


def refuse_substitutes(study: Study, arms: Sequence[Arm], bases: Bases) -> None:
    """Raise ImageError that names what the study's images would hold in another's place.

    The kit's own base counts only where a Dockerfile rests on it. Raises InputError as
    `build_own` does.
    """
    pins = own_pins(_folder(study, arms))
    if any(base.kit for base in pins.bases):
        bases.refuse_substitutes((PYTHON,))
    rows = (row for row in fidelity_of(study, pins, bases) if not row.exact)
    named = "; ".join(f"{row.name} ({row.got}: {row.why})" for row in rows)
    if named:
        raise ImageError(
            f"--strict: not what the publication names: {named}",
            "build the study's images on what it names, or leave out --strict",
        )


def _folder(study: Study, arms: Sequence[Arm]) -> Path:
    if study.folder is None or any(arm.recipe is None for arm in arms):
        raise InputError(
            f"study {study.id}: some arms have a recipe and some have none",
            "give every arm of the study a recipe, or none",
        )
    return study.folder


def _base(engine: Engine, base: OwnBase, bases: Bases, say: Callable[[str], None]) -> ImageInfo:
    if base.kit:
        return bases.python.image
    found = engine.find_image(base.image)
    if found is not None:
        return found
    say(f"pulling {base.image.partition('@')[0]}")
    try:
        return engine.pull(base.image, _SILENCE_S)
    except ImageError as error:
        raise ImageError(
            f"{base.argument}: {error.problem}", "make its registry reachable, or load the image"
        ) from error


def _context(folder: Path, arm: Arm) -> Context:
    context = Context()
    with open_study(folder) as study:
        if study.holds_folder(SHARED):
            context.add_study(study, SHARED, f"{SHARED}/")
        if arm.recipe is not None:
            context.add_study(study, arm.recipe.relative_to(folder).as_posix())
    return context


def fidelity_of(study: Study, pins: OwnPins, bases: Bases) -> tuple[Component, ...]:
    """A row a component; one that the study does not vouch for counts as substituted.

    Of Python on the kit's own base only the base can tell: which one was had is not known
    before, and a study's word cannot make a substitute exact.
    """
    base_is_kits = any(base.kit for base in pins.bases)
    rows = []
    for name, wanted in study.paper.environment.items():
        vouched = pins.components.get(name)
        if name == PYTHON and base_is_kits:
            python = bases.python
            got = f"CPython {python.python}"
            rows.append(Component(name, wanted, got, python.exact, python.why))
        elif vouched is None:
            why = "the study's pins.yaml does not say what its images hold"
            rows.append(Component(name, wanted, "not known", False, why))
        else:
            rows.append(Component(name, wanted, vouched.got, vouched.exact, vouched.why))
    if base_is_kits:
        python = bases.python
        got = f"CPython {python.python} on {python.os}"
        rows.append(Component("base image", UNSTATED, got, python.exact, python.why))
    return tuple(rows)
