"""Names, in the engine's store, of the images that the kit builds."""

from __future__ import annotations

import kit
from kit.study.model import Arm, Study, Variant

OWN = "kit/"
"""Prefix of the names of all images that the kit builds."""
PYTHON, DOTNET = "python", "dotnet"
"""Stacks for which the kit has recipes; PYTHON is also the role of their base."""
EXACT, SUBSTITUTE = "KerasNet", "PythonNet"
"""Names of the two bindings in the C# project; see images/dotnet/Workload.csproj."""


def reference_of(name: str) -> str:
    """Return the reference of that image as built by this version of the kit."""
    return f"{OWN}{name}:{kit.__version__}"


def python_name(variant: Variant) -> str:
    """Return the name of the python image, the base of the dotnet one of that variant."""
    return f"{PYTHON}-{variant}"


def dotnet_name(variant: Variant, binding: str) -> str:
    """Return the name of the dotnet image with that binding, ``EXACT`` or ``SUBSTITUTE``."""
    return f"{DOTNET}-{variant}-{binding.lower()}"


def own_name(study: Study, arm: Arm) -> str:
    """Return the name of the image that the study's Dockerfile for the arm makes."""
    return f"{study.id}-{arm.name}"


def references(study: Study, arm: Arm) -> tuple[str, ...]:
    """Return the possible references of the arm's image: one, or one per binding."""
    if arm.recipe is not None:
        names = [own_name(study, arm)]
    elif arm.stack == DOTNET:
        names = [dotnet_name(arm.variant, binding) for binding in (EXACT, SUBSTITUTE)]
    else:
        names = [f"{arm.stack}-{arm.variant}"]
    return tuple(map(reference_of, names))


def largest(study: Study, arm: Arm) -> str:
    """Return the reference of the image with most of the arm's bytes.

    With the kit's recipes that is the python image, which all stacks share.
    """
    if arm.recipe is None:
        return reference_of(python_name(arm.variant))
    return references(study, arm)[0]
