"""What an image is, for reports: its content digest and its parts, read once.

Reading a gigabyte takes seconds, so what was read is kept by image id. An id names
its content: an entry never goes stale. Verification does not use it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from kit.engine.protocol import Engine
from kit.environment import cache_folder
from kit.errors import HostError
from kit.files.write import write_whole
from kit.images.inspect.content import read_content
from kit.images.inspect.packages import Part, inventory, parts_document, parts_from, wanted

FORMAT = 1
"""Raised whenever the digest or the inventory is worked out in another way."""


@dataclass(frozen=True)
class Description:
    """An image's content digest (sha256, hex) and what software and data it holds."""

    content_sha256: str
    parts: tuple[Part, ...]


class DescriptionCache:
    """A folder with one file an image. One that cannot be used, or None, costs time only."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, image_id: str) -> Description | None:
        """The description of that image; None when it is not known or the file is broken."""
        if self._folder is None:
            return None
        try:
            document = json.loads(self._path(self._folder, image_id).read_text(encoding="utf-8"))
            parts = parts_from(document["parts"])
            return Description(str(document["content_sha256"]), parts)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, image_id: str, found: Description) -> None:
        """Remember it."""
        if self._folder is None:
            return
        document = {
            "content_sha256": found.content_sha256,
            "parts": parts_document(found.parts),
        }
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._path(self._folder, image_id), (json.dumps(document) + "\n").encode())
        except (HostError, OSError):
            return

    @staticmethod
    def _path(folder: Path, image_id: str) -> Path:
        return folder / f"{image_id.removeprefix('sha256:')}-{FORMAT}.json"


def user_cache() -> DescriptionCache:
    """The cache of this user."""
    folder = cache_folder()
    return DescriptionCache(None if folder is None else folder / "images")


def describe(engine: Engine, image_id: str, cache: DescriptionCache) -> Description:
    """The description of a local image. Raises ImageError where there is none."""
    known = cache.get(image_id)
    if known is None:
        content = read_content(engine, image_id, wanted)
        known = Description(content.sha256, inventory(content))
        cache.put(image_id, known)
    return known
