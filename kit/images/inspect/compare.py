"""Comparison of two images file by file, and of each image with its second build."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kit.engine.protocol import Engine
from kit.images.build.arms import Images
from kit.images.build.isolated import FreshEngine
from kit.images.inspect.content import Content, Entry, read_content

MAX_SHOWN = 50


@dataclass(frozen=True)
class Difference:
    """A path that differs between both images, and how."""

    path: str
    what: str


def differences(first: Content, second: Content) -> tuple[Difference, ...]:
    """Return every difference, files by path, then the configuration."""
    found = []
    for path in sorted({*first.entries, *second.entries}):
        a, b = first.entries.get(path), second.entries.get(path)
        if a != b:
            found.append(Difference(path, _what(a, b)))
    for key in sorted({*first.config, *second.config}):
        if first.config.get(key) != second.config.get(key):
            found.append(
                Difference(
                    f"config {key}", f"{first.config.get(key)!r} and {second.config.get(key)!r}"
                )
            )
    return tuple(found)


def shown(found: tuple[Difference, ...]) -> list[str]:
    """Return one line per difference for the first ``MAX_SHOWN``, then a count of the rest."""
    lines = [f"{difference.path}: {difference.what}" for difference in found[:MAX_SHOWN]]
    if len(found) > MAX_SHOWN:
        lines.append(f"... and {len(found) - MAX_SHOWN} more")
    return lines


def _what(a: Entry | None, b: Entry | None) -> str:
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


BuildOn = Callable[[Engine], Images]
"""Function that builds arms on an engine, or finds those that are there already."""


@dataclass(frozen=True)
class Rebuilt:
    """Comparison of an image with its second build, by the first one's reference."""

    reference: str
    first_sha256: str
    second_sha256: str
    differences: tuple[Difference, ...]


def rebuild(engine: Engine, build_on: BuildOn, say: Callable[[str], None]) -> tuple[Rebuilt, ...]:
    """Build (or find) all images, build them again without cache, compare every image.

    Always removes the second images at the end. Raises HostError or ImageError as building
    does.
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
