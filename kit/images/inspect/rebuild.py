"""Are the images reproducible: built a second time from nothing, is the content the same?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kit.engine.protocol import Engine
from kit.images.build.arms import Images
from kit.images.build.isolated import FreshEngine
from kit.images.inspect.compare import Difference, differences
from kit.images.inspect.content import read_content

BuildOn = Callable[[Engine], Images]
"""Builds the wanted arms on that engine, finding there what is there already."""


@dataclass(frozen=True)
class Rebuilt:
    """An image and its second building, by the first one's reference."""

    reference: str
    first_sha256: str
    second_sha256: str
    differences: tuple[Difference, ...]


def rebuild(engine: Engine, build_on: BuildOn, say: Callable[[str], None]) -> tuple[Rebuilt, ...]:
    """Build (or find) everything, build it again from nothing, compare every image.

    The second images are removed at the end, whatever happens. Raises HostError
    or ImageError as building does.
    """
    build_on(engine)
    fresh = FreshEngine(engine)
    try:
        build_on(fresh)
        found = []
        for reference, second in fresh.made.items():
            say(f"comparing {reference}")
            found.append(_compared(engine, reference, second.id))
        return tuple(found)
    finally:
        fresh.clean()


def _compared(engine: Engine, reference: str, second_id: str) -> Rebuilt:
    first, second = read_content(engine, reference), read_content(engine, second_id)
    return Rebuilt(reference, first.sha256, second.sha256, differences(first, second))
