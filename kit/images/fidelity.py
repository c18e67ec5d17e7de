"""Fidelity: per component, what the study wants and what was got."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

BUILDS = {"cpu": "CPU build", "cuda": "GPU build"}
"""What a variant's TensorFlow is: two packages of the same sources."""

UNSTATED = "not stated"


@dataclass(frozen=True)
class Component:
    """One row of the fidelity table. ``exact`` False means substituted."""

    name: str
    wanted: str
    got: str
    exact: bool
    why: str


@dataclass(frozen=True)
class ArmImage:
    """The image an arm ran in. ``image_id`` is the engine's own, by content and time.

    ``content_sha256`` is over the file tree without its times, so that an image
    built again elsewhere can be compared; empty where it was not worked out.
    """

    arm: str
    reference: str
    image_id: str
    size_bytes: int
    content_sha256: str = ""


@dataclass(frozen=True)
class PythonParts:
    """What the Python image is made of."""

    version: str
    os: str
    exact: bool
    why: str


@dataclass(frozen=True)
class DotnetParts:
    """What the dotnet image adds to it."""

    runtime: str
    exact: bool
    why: str
    binding: str
    binding_exact: bool
    binding_why: str


def fidelity(
    wanted: Mapping[str, str],
    tensorflow: str,
    python: PythonParts,
    dotnet: DotnetParts | None,
    variants: Collection[str],
) -> tuple[Component, ...]:
    """The fidelity table. ``wanted`` maps a component to what the paper names.

    A component whose version the paper does not state is exact when the product
    is the one named; the row says that the version is the kit's choice. ``variants``
    are those of the arms that were built.
    """
    cuda = "cuda" in variants
    builds = " and ".join(name for variant, name in BUILDS.items() if variant in variants)
    rows = [
        Component(
            "python",
            wanted.get("python", UNSTATED),
            f"CPython {python.version}",
            python.exact,
            python.why,
        ),
        Component(
            "tensorflow",
            wanted.get("tensorflow", UNSTATED),
            f"TensorFlow {tensorflow} ({builds})",
            True,
            "the paper states no version; this one is the kit's choice, locked by hash",
        ),
    ]
    if dotnet is not None:
        rows += [
            Component(
                "dotnet",
                wanted.get("dotnet", UNSTATED),
                f".NET {dotnet.runtime}",
                dotnet.exact,
                dotnet.why,
            ),
            Component(
                "binding",
                wanted.get("binding", UNSTATED),
                dotnet.binding,
                dotnet.binding_exact,
                dotnet.binding_why,
            ),
        ]
    if cuda:
        rows.append(
            Component(
                "cuda",
                "not stated",
                "CUDA 11.8 and cuDNN 8.6 from NVIDIA's wheels",
                True,
                "the paper names none; these are the kit's choice, locked by hash",
            )
        )
    rows += [
        Component(
            "data", wanted.get("data", UNSTATED), "Fashion-MNIST", True, "every payload hash agrees"
        ),
        Component(
            "operating system",
            wanted.get("operating system", UNSTATED),
            f"{python.os} in a Linux container",
            False,
            "a Linux container is never the paper's own system",
        ),
        Component(
            "hardware",
            wanted.get("hardware", UNSTATED),
            "this host's CPU and GPU" if cuda else "this host's CPU",
            False,
            "the paper names none",
        ),
    ]
    return tuple(rows)
