"""The description of an image for reports: its content digest and its parts, read once.

Reading a gigabyte takes seconds, so descriptions are cached by image id. An id identifies
its content, so entries never expire. Verification does not use the cache.
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
"""Version of cache entries; increase it when the digest or the inventory changes."""


@dataclass(frozen=True)
class Description:
    """Content digest (sha256, hex) of an image, and the software and data in it."""

    content_sha256: str
    parts: tuple[Part, ...]


class DescriptionCache:
    """A folder with one file per image. If it is unusable or None, images are read again."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, image_id: str) -> Description | None:
        """Return the description of that image; None if it is not cached or damaged."""
        if self._folder is None:
            return None
        try:
            document = json.loads(self._path(self._folder, image_id).read_text(encoding="utf-8"))
            parts = parts_from(document["parts"])
            return Description(str(document["content_sha256"]), parts)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, image_id: str, found: Description) -> None:
        """Store the description if possible."""
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
    """Return the cache of this user."""
    folder = cache_folder()
    return DescriptionCache(None if folder is None else folder / "images")


def describe(engine: Engine, image_id: str, cache: DescriptionCache) -> Description:
    """Return the description of a local image. Raises ImageError if there is none."""
    known = cache.get(image_id)
    if known is None:
        content = read_content(engine, image_id, wanted)
        known = Description(content.sha256, inventory(content))
        cache.put(image_id, known)
    return known
