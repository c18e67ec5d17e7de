"""Two readings of an image, compared file by file."""

from __future__ import annotations

from dataclasses import dataclass

from kit.images.inspect.content import Content, Entry

MOST_SHOWN = 50


@dataclass(frozen=True)
class Difference:
    """A path that is not alike in both, and in what."""

    path: str
    what: str


def differences(first: Content, second: Content) -> tuple[Difference, ...]:
    """Every difference, files by path, then the configuration."""
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
    """A line each, the first ``MOST_SHOWN`` of them; the rest is counted."""
    lines = [f"{difference.path}: {difference.what}" for difference in found[:MOST_SHOWN]]
    if len(found) > MOST_SHOWN:
        lines.append(f"... and {len(found) - MOST_SHOWN} more")
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
