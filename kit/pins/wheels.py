"""Lists of wheels: hash-locked requirement files, read, written and refreshed.

One hash per package: that of the wheel that the interpreter prefers on x86_64 Linux with
the oldest base's glibc. Several if interpreters that share a list prefer different wheels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Wheel:
    """A pinned package and the sha256 of each wheel that may be installed."""

    name: str
    version: str
    sha256: tuple[str, ...]


@dataclass(frozen=True)
class Offered:
    """A wheel file that an index offers."""

    filename: str
    sha256: str
    yanked: bool


def read_wheels(text: str) -> tuple[Wheel, ...]:
    """Return the wheels that a requirement file's text lists."""
    wheels = []
    for block in text.replace("\\\n", " ").splitlines():
        found = _LINE.match(block.strip())
        if found:
            wheels.append(Wheel(found[1], found[2], tuple(_HASH.findall(block))))
    return tuple(wheels)


def wheels_text(wheels: Iterable[Wheel]) -> str:
    """Return the text of the requirement file, sorted by name."""
    return "".join(
        f"{wheel.name}=={wheel.version}"
        + "".join(f" \\\n    --hash=sha256:{digest}" for digest in wheel.sha256)
        + "\n"
        for wheel in sorted(wheels, key=lambda wheel: wheel.name.lower())
    )


def chosen(
    offers: Sequence[Offered], pythons: Sequence[tuple[int, int]], glibc: tuple[int, int]
) -> tuple[str, ...]:
    """Return the sha256 of each interpreter's preferred wheel; () if one has none."""
    hashes = []
    for python in pythons:
        ranks = {tag: rank for rank, tag in enumerate(_tags(python, glibc))}
        best = min(
            (
                (rank, offer)
                for offer in offers
                if (rank := _best_rank(offer.filename, ranks)) is not None
            ),
            key=lambda ranked: (ranked[0], ranked[1].filename),
            default=None,
        )
        if best is None:
            return ()
        hashes.append(best[1].sha256)
    return tuple(dict.fromkeys(hashes))


def _best_rank(filename: str, ranks: dict[str, int]) -> int | None:
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    try:
        tags = parse_wheel_filename(filename)[3]
    except InvalidWheelFilename:
        return None
    return min((ranks[str(tag)] for tag in tags if str(tag) in ranks), default=None)


def _tags(python: tuple[int, int], glibc: tuple[int, int]) -> list[str]:
    """Return the tags that interpreter accepts, best first (PEP 425, PEP 600)."""
    from packaging.tags import compatible_tags, cpython_tags

    legacy = {17: "manylinux2014_x86_64", 12: "manylinux2010_x86_64", 5: "manylinux1_x86_64"}
    platforms = []
    for minor in range(glibc[1], 4, -1):
        platforms.append(f"manylinux_{glibc[0]}_{minor}_x86_64")
        if minor in legacy:
            platforms.append(legacy[minor])
    platforms.append("linux_x86_64")
    interpreter = f"cp{python[0]}{python[1]}"
    tags = [
        *cpython_tags(python, [interpreter], platforms),
        *compatible_tags(python, interpreter, platforms),
    ]
    return [str(tag) for tag in tags]
