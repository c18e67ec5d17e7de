"""An engine without the kit's images, so that a builder builds every image again.

It wraps a real engine and adds a suffix to names under kit/, so that it neither finds nor
replaces images in use. Images pulled by digest are those of the real engine.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
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
from kit.images.names import OWN


class FreshEngine:
    """Engine that builds without cache, under other names; ``made`` maps a name to its image."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._suffix = f"-verify-{secrets.token_hex(4)}"
        self.made: dict[str, ImageInfo] = {}

    def clean(self) -> None:
        """Remove all images in ``made``, the last first."""
        for name in reversed(list(self.made)):
            with suppress(KitError):
                self._engine.remove_image(self._renamed(name))

    def build(self, request: BuildRequest, on_line: LineSink) -> ImageInfo:
        """Build every step again, under the other name."""
        fresh = replace(request, tag=self._renamed(request.tag), cache=False)
        self.made[request.tag] = self._engine.build(fresh, on_line)
        return self.made[request.tag]

    def import_rootfs(self, tar: Path, reference: str, changes: Sequence[str]) -> ImageInfo:
        """Import under the other name."""
        self.made[reference] = self._engine.import_rootfs(tar, self._renamed(reference), changes)
        return self.made[reference]

    def find_image(self, reference: str) -> ImageInfo | None:
        """Find an image; for names under kit/, only one that was made here."""
        return self._engine.find_image(self._renamed(reference))

    def tag(self, image_id: str, reference: str) -> None:
        """Tag with the other name."""
        self._engine.tag(image_id, self._renamed(reference))

    def info(self) -> EngineInfo:
        """Call the real engine."""
        return self._engine.info()

    def pull(self, reference: str, timeout_s: float) -> ImageInfo:
        """Call the real engine."""
        return self._engine.pull(reference, timeout_s)

    def load(self, archive: Path) -> tuple[ImageInfo, ...]:
        """Call the real engine."""
        return self._engine.load(archive)

    def remove_image(self, reference: str) -> bool:
        """Remove under the other name."""
        return self._engine.remove_image(self._renamed(reference))

    def save(self, references: Sequence[str], archive: BinaryIO) -> None:
        """Save under the other names."""
        self._engine.save([self._renamed(name) for name in references], archive)

    def export(self, image: str) -> AbstractContextManager[Iterator[bytes]]:
        """Export under the other name."""
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

    def discard(self, held: EngineObject) -> None:
        """Call the real engine."""
        self._engine.discard(held)

    def _renamed(self, reference: str) -> str:
        return f"{reference}{self._suffix}" if reference.startswith(OWN) else reference
