"""The images of a plan: built, described, and compared with a second build."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from kit.app.runtime import Runtime
from kit.engine.protocol import Engine
from kit.images.build.arms import Builder, Images, Options
from kit.images.build.recipe import Tools
from kit.images.inspect.compare import Rebuilt, rebuild
from kit.images.inspect.packages import sbom_json
from kit.images.stored import check_disk
from kit.pins.load import Pins
from kit.results.names import sbom_name
from kit.study.model import Study


def build_images(
    runtime: Runtime, study: Study, pins: Pins, options: Options, arms: Sequence[str]
) -> tuple[Images, Mapping[str, bytes]]:
    """Return the images of the arms, described, and their bills of materials by file name.

    Raises HostError or ImageError.
    """
    return _described(runtime, build(runtime, study, pins, options, arms))


def build_twice(
    runtime: Runtime, study: Study, pins: Pins, options: Options, arms: Sequence[str]
) -> tuple[Rebuilt, ...]:
    """Build (or find) the images, build them again without cache, and compare every file.

    Removes the second images. Raises HostError or ImageError as ``build`` does.
    """
    with runtime.progress.phase("images") as phase:

        def build_on(engine: Engine) -> Images:
            on_it = replace(runtime, engine=engine)
            return builder(on_it, pins, options, phase.step).build(study, tuple(arms))

        return rebuild(runtime.engine, build_on, phase.step)


def build(
    runtime: Runtime, study: Study, pins: Pins, options: Options, arms: Sequence[str]
) -> Images:
    """Build or find the images of the arms. Raises HostError or ImageError."""
    check_disk(runtime.engine, runtime.free_disk, study, arms)
    with runtime.progress.phase("images") as phase:
        return builder(runtime, pins, options, phase.step).build(study, tuple(arms))


def builder(runtime: Runtime, pins: Pins, options: Options, say: Callable[[str], None]) -> Builder:
    """Return a builder of images with that runtime; ``say`` gets each step."""
    return Builder(Tools(runtime.engine, pins, runtime.net, say), options)


def _described(runtime: Runtime, images: Images) -> tuple[Images, Mapping[str, bytes]]:
    """Return the images with their content digests, and a bill of materials for each arm."""
    arms = {}
    sboms = {}
    with runtime.progress.phase("content") as phase:
        for name, image in images.arms.items():
            phase.step(f"reading {image.reference}")
            found = runtime.describe(image.image_id)
            arms[name] = replace(image, content_sha256=found.content_sha256)
            sboms[sbom_name(name)] = sbom_json(image.reference, found.content_sha256, found.parts)
    return replace(images, arms=arms), sboms
