"""The images of a study that has its own Dockerfiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from kit.engine.protocol import ImageInfo
from kit.errors import ImageError, InputError
from kit.images.bases.resolve import Bases
from kit.images.build.recipe import PYTHON, Context, Recipe, Tools, build_recipe, own_name
from kit.images.fidelity import Part, fidelity
from kit.records.images import ArmImage, Component
from kit.study.folder import StudyBase, StudyPins, open_study, study_pins
from kit.study.model import Arm, Study
from kit.together import together

SHARED = "shared"
"""Folder of the study that is in the context of every Dockerfile."""
_PULL_IDLE_TIMEOUT_S = 60.0


def build_study_images(
    tools: Tools, study: Study, arms: Sequence[Arm], bases: Bases
) -> tuple[dict[str, ArmImage], tuple[Component, ...]]:
    """Build the image of each of those arms; return the images and the fidelity table.

    Raises InputError if only some arms have a recipe, ImageError if a base is not available
    or a build fails.
    """
    folder = _folder(study, arms)
    pins = study_pins(folder)
    args = _bases(tools, pins, bases)
    images = {}
    for arm in arms:
        context = _context(folder, arm)
        tools.net.add_to(context)
        recipe = Recipe(own_name(study, arm), context, "Dockerfile", args)
        image = build_recipe(tools, recipe)
        images[arm.name] = ArmImage(arm.name, recipe.tag, image.id, image.size_bytes)
    return images, fidelity_of(study, pins, arms, bases)


def refuse_substitutes(study: Study, arms: Sequence[Arm], bases: Bases) -> None:
    """Raise ImageError that names each substitute the study's images would hold.

    Checks the kit's Python base only if a Dockerfile uses it. Raises InputError as
    ``build_study_images`` does.
    """
    pins = study_pins(_folder(study, arms))
    if any(base.kit for base in pins.bases):
        bases.refuse_substitutes((PYTHON,))
    rows = (row for row in fidelity_of(study, pins, arms, bases) if not row.exact)
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


def _bases(tools: Tools, pins: StudyPins, bases: Bases) -> dict[str, str]:
    """Return the image id for each build argument, in the order of the pins."""
    args = {base.argument: "" for base in pins.bases}

    def make(own: Sequence[StudyBase]) -> None:
        for base in own:
            args[base.argument] = _base(tools, base, bases).id

    # All arguments for the kit's base share one image; each pull gets its own thread.
    kits = [base for base in pins.bases if base.kit]
    others = [base for base in pins.bases if not base.kit]
    together(partial(make, kits), *(partial(make, [base]) for base in others))
    return args


def _base(tools: Tools, base: StudyBase, bases: Bases) -> ImageInfo:
    if base.kit:
        return bases.python.image
    found = tools.engine.find_image(base.image)
    if found is not None:
        return found
    tools.say(f"pulling {base.image.partition('@')[0]}")
    try:
        return tools.engine.pull(base.image, _PULL_IDLE_TIMEOUT_S)
    except ImageError as error:
        raise type(error)(
            f"{base.argument}: {error.problem}", f"{error.remedy}; or load the image"
        ) from error


def _context(folder: Path, arm: Arm) -> Context:
    context = Context()
    with open_study(folder) as study:
        if study.holds_folder(SHARED):
            context.add_study(study, SHARED, f"{SHARED}/")
        if arm.recipe is not None:
            context.add_study(study, arm.recipe.relative_to(folder).as_posix())
    return context


def fidelity_of(
    study: Study, pins: StudyPins, arms: Sequence[Arm], bases: Bases
) -> tuple[Component, ...]:
    """Return one row per component; one that the study does not declare counts as substituted.

    If a Dockerfile builds on the kit's Python base, the rows on Python and on the base image
    come from the resolved base: the study cannot know it.
    """
    environment = study.paper.environment
    parts = {}
    if any(base.kit for base in pins.bases):
        python = bases.python
        got = f"CPython {python.python}"
        part = Part(got, python.exact, python.why, python.details)
        if PYTHON in environment:
            parts[PYTHON] = part
        parts["base image"] = replace(part, got=f"{got} on {python.os}")
    return fidelity(environment, pins.components, parts, {arm.variant for arm in arms})
