"""What the images that the kit builds are called, in the engine's store."""

from __future__ import annotations

import kit
from kit.study.model import Arm, Study, Variant

OWN = "kit/"
"""How the name of every image begins that the kit made."""
PYTHON, DOTNET = "python", "dotnet"
"""The stacks that the kit has recipes of its own for; PYTHON is the role of their base too."""
EXACT, SUBSTITUTE = "KerasNet", "PythonNet"
"""What the project calls the two bindings; see images/dotnet/Workload.csproj."""


def reference_of(name: str) -> str:
    """Return the reference of the image of that name that this version of the kit builds."""
    return f"{OWN}{name}:{kit.__version__}"


def python_name(variant: Variant) -> str:
    """Return the name of the python image, which the dotnet one of that variant rests on."""
    return f"{PYTHON}-{variant}"


def dotnet_name(variant: Variant, binding: str) -> str:
    """Return the name of the dotnet image with that binding, ``EXACT`` or ``SUBSTITUTE``."""
    return f"{DOTNET}-{variant}-{binding.lower()}"


def own_name(study: Study, arm: Arm) -> str:
    """Return the name of the image that the study's own Dockerfile makes."""
    return f"{study.id}-{arm.name}"


def references(study: Study, arm: Arm) -> tuple[str, ...]:
    """Return what the arm's image may be called: one reference, or one for each binding."""
    if arm.recipe is not None:
        names = [own_name(study, arm)]
    elif arm.stack == DOTNET:
        names = [dotnet_name(arm.variant, binding) for binding in (EXACT, SUBSTITUTE)]
    else:
        names = [f"{arm.stack}-{arm.variant}"]
    return tuple(map(reference_of, names))


def largest(study: Study, arm: Arm) -> str:
    """Return what the largest part of the arm's image is called: one that all stacks rest on."""
    if arm.recipe is None:
        return reference_of(python_name(arm.variant))
    return references(study, arm)[0]
