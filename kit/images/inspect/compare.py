"""Comparison of two images file by file, and of each image with its second build.

The second build works on an engine without the kit's images. It adds a suffix to names under
kit/, so that it neither finds nor replaces images in use. Images pulled by digest are those of
the real engine.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from kit.engine.objects import EngineObject, EngineObjects, Removed
from kit.engine.protocol import (
    BuildRequest,
    Engine,
    EngineInfo,
    ImageInfo,
    LineSink,
    RunOutcome,
    RunRequest,
)
from kit.errors import KitError
from kit.images.build.arms import Images
from kit.images.build.recipe import OWN
from kit.images.inspect.content import Content, ContentEntry, read_content

MAX_SHOWN = 50
BuildOn = Callable[[Engine], Images]
"""Function that builds arms on an engine, or finds those that are there already."""


@dataclass(frozen=True)
class ContentDifference:
    """A path, or part of the configuration, that differs between two images, and how."""

    path: str
    what: str


@dataclass(frozen=True)
class RebuildResult:
    """Comparison of an image with its second build, by the first one's reference."""

    reference: str
    first_sha256: str
    second_sha256: str
    differences: tuple[ContentDifference, ...]


class EmptyStoreEngine:
    """An engine around another one: it builds without cache, and under other names.

    ``made`` maps a name to the image built for it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._suffix = f"-verify-{secrets.token_hex(4)}"
        self.made: dict[str, ImageInfo] = {}

    def clean(self) -> None:
        """Remove all images that were made here, the last first."""
        for name in reversed(list(self.made)):
            with suppress(KitError):
                self._engine.remove_image(self._renamed(name))

    def build(self, request: BuildRequest, on_line: LineSink) -> ImageInfo:
        """Build every step of an image again, under its other name."""
        fresh = replace(request, tag=self._renamed(request.tag), cache=False)
        self.made[request.tag] = self._engine.build(fresh, on_line)
        return self.made[request.tag]

    def import_rootfs(self, tar: Path, reference: str, changes: Sequence[str]) -> ImageInfo:
        """Import a root file system as an image, under its other name."""
        self.made[reference] = self._engine.import_rootfs(tar, self._renamed(reference), changes)
        return self.made[reference]

    def find_image(self, reference: str) -> ImageInfo | None:
        """Return a local image; for names under kit/, only one that was made here."""
        return self._engine.find_image(self._renamed(reference))

    def tag(self, image_id: str, reference: str) -> None:
        """Tag an image with the other name of ``reference``."""
        self._engine.tag(image_id, self._renamed(reference))

    def info(self) -> EngineInfo:
        """Call the real engine."""
        return self._engine.info()

    def pull(self, reference: str, idle_timeout_s: float) -> ImageInfo:
        """Call the real engine."""
        return self._engine.pull(reference, idle_timeout_s)

    def load(self, archive: Path) -> tuple[ImageInfo, ...]:
        """Call the real engine."""
        return self._engine.load(archive)

    def remove_image(self, reference: str) -> bool:
        """Remove the image of that reference, by its other name."""
        return self._engine.remove_image(self._renamed(reference))

    def save(self, references: Sequence[str], archive: BinaryIO) -> None:
        """Save images, by their other names."""
        self._engine.save([self._renamed(name) for name in references], archive)

    def export(self, image: str) -> AbstractContextManager[Iterator[bytes]]:
        """Export an image's file tree, by its other name."""
        return self._engine.export(self._renamed(image))

    def remote_digest(self, reference: str) -> str:
        """Call the real engine."""
        return self._engine.remote_digest(reference)

    def run(self, request: RunRequest) -> RunOutcome:
        """Call the real engine."""
        return self._engine.run(request)

    def remove_by_label(self, label: str, value: str) -> Removed:
        """Call the real engine."""
        return self._engine.remove_by_label(label, value)

    def objects(self, label: str, value: str) -> EngineObjects:
        """Call the real engine."""
        return self._engine.objects(label, value)

    def remove_object(self, held: EngineObject) -> None:
        """Call the real engine."""
        self._engine.remove_object(held)

    def _renamed(self, reference: str) -> str:
        return f"{reference}{self._suffix}" if reference.startswith(OWN) else reference


def differences(first: Content, second: Content) -> tuple[ContentDifference, ...]:
    """Return every difference of two images: of their files, by path, then of configuration."""
    found = []
    for path in sorted({*first.entries, *second.entries}):
        a, b = first.entries.get(path), second.entries.get(path)
        if a != b:
            found.append(ContentDifference(path, _what(a, b)))
    for key in sorted({*first.config, *second.config}):
        if first.config.get(key) != second.config.get(key):
            found.append(
                ContentDifference(
                    f"config {key}", f"{first.config.get(key)!r} and {second.config.get(key)!r}"
                )
            )
    return tuple(found)


def shown(found: tuple[ContentDifference, ...]) -> list[str]:
    """Return one line for each of the first ``MAX_SHOWN`` differences, then a count of the rest."""
    lines = [f"{difference.path}: {difference.what}" for difference in found[:MAX_SHOWN]]
    if len(found) > MAX_SHOWN:
        lines.append(f"... and {len(found) - MAX_SHOWN} more")
    return lines


def rebuild(
    engine: Engine, build_on: BuildOn, say: Callable[[str], None]
) -> tuple[RebuildResult, ...]:
    """Build (or find) all images, build them again without cache, compare every image.

    Always removes the second images at the end. Raises HostError or ImageError as building
    does.
    """
    build_on(engine)
    fresh = EmptyStoreEngine(engine)
    try:
        build_on(fresh)
        found = []
        for reference, second in fresh.made.items():
            say(f"comparing {reference}")
            found.append(_compared(engine, reference, second.id))
        return tuple(found)
    finally:
        fresh.clean()


def _what(a: ContentEntry | None, b: ContentEntry | None) -> str:
    if a is None:
        return "only in the second"
    if b is None:
        return "only in the first"
    parts = []
    if a.type != b.type:
        parts.append(f"type {a.type} and {b.type}")
    if a.mode != b.mode:
        parts.append(f"mode {a.mode:o} and {b.mode:o}")
    if a.owner != b.owner:
        parts.append(f"owner {a.owner} and {b.owner}")
    if a.xattrs != b.xattrs:
        parts.append("extended attributes")
    if a.type == b.type and a.what != b.what:
        parts.append("content" if a.type == "file" else f"{a.what} and {b.what}")
    return ", ".join(parts)


def _compared(engine: Engine, reference: str, second_id: str) -> RebuildResult:
    first, second = read_content(engine, reference), read_content(engine, second_id)
    return RebuildResult(reference, first.sha256, second.sha256, differences(first, second))
