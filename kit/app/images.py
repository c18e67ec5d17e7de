"""The images of a plan, ready to run: room for them, built, described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rich.filesize import decimal

import kit
from kit.app.runtime import Runtime
from kit.engine.protocol import Engine
from kit.errors import HostError
from kit.images.build.arms import Builder, Images, Options
from kit.images.build.binding import EXACT, SUBSTITUTE
from kit.images.inspect.compare import Rebuilt, rebuild
from kit.images.inspect.sbom import sbom_json
from kit.pins.load import Pins
from kit.results.names import sbom_name
from kit.study.model import Arm, Study


def build_images(
    runtime: Runtime, study: Study, pins: Pins, options: Options, arms: Sequence[str]
) -> tuple[Images, Mapping[str, bytes]]:
    """The images of the arms, described, and their bills of materials by file name."""
    return _described(runtime, build(runtime, study, pins, options, arms))


def build_twice(
    runtime: Runtime, study: Study, pins: Pins, options: Options, arms: Sequence[str]
) -> tuple[Rebuilt, ...]:
    """Build (or find) the images, build them again without cache, and compare every file.

    The second images are removed. Raise HostError or ImageError as ``build`` does.
    """
    with runtime.progress.phase("images") as phase:

        def build_on(engine: Engine) -> Images:
            builder = Builder(engine, pins, runtime.net, options, phase.step)
            return builder.build(study, tuple(arms))

        return rebuild(runtime.engine, build_on, phase.step)


def build(
    runtime: Runtime, study: Study, pins: Pins, options: Options, arms: Sequence[str]
) -> Images:
    """The images of the arms. Raises HostError or ImageError."""
    check_disk(runtime, study, arms)
    with runtime.progress.phase("images") as phase:
        builder = Builder(runtime.engine, pins, runtime.net, options, phase.step)
        return builder.build(study, tuple(arms))


def _described(runtime: Runtime, images: Images) -> tuple[Images, Mapping[str, bytes]]:
    """The images with their content digests, and a bill of materials for each arm."""
    arms = {}
    sboms = {}
    with runtime.progress.phase("content") as phase:
        for name, image in images.arms.items():
            phase.step(f"reading {image.reference}")
            found = runtime.describe(image.image_id)
            arms[name] = replace(image, content_sha256=found.content_sha256)
            sboms[sbom_name(name)] = sbom_json(image.reference, found.content_sha256, found.parts)
    return replace(images, arms=arms), sboms


def images_there(engine: Engine, study: Study, arms: Sequence[str]) -> bool:
    """Whether the store has an image of every arm, of this version of the kit."""
    return all(
        any(engine.find_image(name) for name in _image_names(study, study.arms[arm]))
        for arm in arms
    )


def check_disk(runtime: Runtime, study: Study, arms: Sequence[str]) -> None:
    """Refuse before an image is begun that the disk cannot hold."""
    missing = dict.fromkeys(
        arm.variant
        for arm in (study.arms[name] for name in arms)
        if runtime.engine.find_image(_largest(study, arm)) is None
    )
    needed = sum(study.protocol.disk_bytes[variant] for variant in missing)
    root = runtime.engine.info().root_dir
    free = runtime.free_disk(root)
    if free is not None and free < needed:
        raise HostError(
            f"disk: the {' and '.join(missing)} images need {decimal(needed)}, "
            f"{decimal(free)} are free at {root}",
            "free disk space there; `kit clean --dry-run` shows what the kit itself holds",
        )


def _largest(study: Study, arm: Arm) -> str:
    """What the largest part of the arm's image is called: one that all stacks rest on."""
    if arm.recipe is None:
        return f"kit/python-{arm.variant}:{kit.__version__}"
    return _image_names(study, arm)[0]


def _image_names(study: Study, arm: Arm) -> tuple[str, ...]:
    """What the arm's image may be called."""
    if arm.recipe is not None:
        names = [f"{study.id}-{arm.name}"]
    elif arm.stack == "dotnet":
        names = [f"dotnet-{arm.variant}-{binding.lower()}" for binding in (EXACT, SUBSTITUTE)]
    else:
        names = [f"{arm.stack}-{arm.variant}"]
    return tuple(f"kit/{name}:{kit.__version__}" for name in names)
