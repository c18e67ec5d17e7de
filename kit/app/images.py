"""The images of a plan: built, described, and compared with a second build or a session's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kit.app.runtime import Phase, Runtime
from kit.engine.protocol import Engine
from kit.errors import ImageError, InputError
from kit.images.build.arms import Builder, BuildOptions, Images
from kit.images.build.recipe import Tools
from kit.images.inspect.compare import RebuildResult, rebuild
from kit.images.inspect.content import read_content
from kit.images.inspect.describe import sbom_json
from kit.images.stored import check_disk
from kit.records.images import ArmImage
from kit.results import sbom_name
from kit.results.runlog import read_session
from kit.study.model import Study


@dataclass(frozen=True)
class ImageComparison:
    """The content digests of an arm's image in this engine and of the recorded one."""

    arm: str
    reference: str
    sha256: str
    recorded_sha256: str

    @property
    def same(self) -> bool:
        """Return whether both digests are equal."""
        return self.sha256 == self.recorded_sha256


def build_images(
    runtime: Runtime, study: Study, options: BuildOptions, arms: Sequence[str]
) -> tuple[Images, Mapping[str, bytes]]:
    """Build or find the images of the arms and describe them.

    Returns the images, and their bills of materials (SBOMs) by file name. Raises HostError or
    ImageError.
    """
    return _described(runtime, find_or_build(runtime, study, options, arms))


def build_twice(
    runtime: Runtime, study: Study, options: BuildOptions, arms: Sequence[str]
) -> tuple[RebuildResult, ...]:
    """Build (or find) the images, build them again without cache, and compare every file.

    Removes the second images. Raises HostError or ImageError as ``find_or_build`` does.
    """
    with runtime.progress.phase("images") as phase:

        def build_on(engine: Engine) -> Images:
            on_it = replace(runtime, engine=engine)
            return builder(on_it, options, phase).build(study, tuple(arms))

        return rebuild(runtime.engine, build_on, phase.step)


def find_or_build(
    runtime: Runtime, study: Study, options: BuildOptions, arms: Sequence[str]
) -> Images:
    """Build or find the images of the arms; return them. Raises HostError or ImageError."""
    check_disk(runtime.engine, runtime.free_disk, study, arms)
    with runtime.progress.phase("images") as phase:
        return builder(runtime, options, phase).build(study, tuple(arms))


def builder(runtime: Runtime, options: BuildOptions, phase: Phase) -> Builder:
    """Return a builder of images that uses that runtime and shows its steps in that phase."""
    tools = Tools(
        runtime.engine, runtime.pins, runtime.net, phase.step,
        phase.detail, phase.say, runtime.build_output,
    )  # fmt: skip
    return Builder(tools, options)


def recorded_images(folder: Path, arm: str, image: str) -> Mapping[str, ArmImage]:
    """Return the images that a session's log names, by arm; only that of ``arm`` if given.

    Raises InputError for an ``image`` without an arm, an unknown arm, and images without a
    recorded digest.
    """
    recorded = read_session(folder).header.images
    if image and not arm:
        raise InputError("--image: the arm is not named", f"add --arm ({', '.join(recorded)})")
    if arm and arm not in recorded:
        raise InputError(f"--arm: {folder} has no arm {arm!r}", f"use one of {', '.join(recorded)}")
    chosen = {arm: recorded[arm]} if arm else recorded
    without = [name for name, found in chosen.items() if not found.content_sha256]
    if without:
        raise InputError(
            f"{folder}: the log holds no content digest of {', '.join(without)}",
            "compare the image ids that the report names instead",
        )
    return chosen


def compare(
    engine: Engine, recorded: Mapping[str, ArmImage], image: str
) -> Iterator[ImageComparison]:
    """Read the recorded images in this engine file by file; yield each comparison.

    ``recorded`` is by arm; ``image``, if not empty, is read in place of them. Raises ImageError
    for an image that is missing here or cannot be read.
    """
    for arm, found in recorded.items():
        here = image or _local(engine, found)
        yield ImageComparison(arm, here, read_content(engine, here).sha256, found.content_sha256)


def refuse_different(folder: Path, compared: Iterable[ImageComparison]) -> None:
    """Raise ImageError that names each image whose content differs from the recorded one."""
    differing = [
        f"{found.arm} has {found.sha256}, recorded is {found.recorded_sha256}"
        for found in compared
        if not found.same
    ]
    if differing:
        raise ImageError(
            f"{folder}: {'; '.join(differing)}",
            "`kit build --check-reproducible` shows whether the image can be built again as it was",
        )


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


def _local(engine: Engine, recorded: ArmImage) -> str:
    """Return the recorded image's id if the store has it, else its reference."""
    if engine.find_image(recorded.image_id) is not None:
        return recorded.image_id
    return recorded.reference
