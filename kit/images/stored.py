"""Checks whether the engine's store has the arms' images and disk space for the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.filesize import decimal

from kit.engine.protocol import Engine
from kit.errors import HostError
from kit.images.names import largest, references
from kit.study.model import Study


def images_there(engine: Engine, study: Study, arms: Sequence[str]) -> bool:
    """Return whether the store has every arm's image, built by this version of the kit."""
    return all(
        any(engine.find_image(name) for name in references(study, study.arms[arm])) for arm in arms
    )


def check_disk(
    engine: Engine, free_disk: Callable[[str], int | None], study: Study, arms: Sequence[str]
) -> None:
    """Raise HostError if the disk lacks space for images that are still to build.

    ``free_disk`` returns the free bytes at the engine's folder of that name, None if unknown.
    """
    missing = dict.fromkeys(
        arm.variant
        for arm in (study.arms[name] for name in arms)
        if engine.find_image(largest(study, arm)) is None
    )
    needed = sum(study.protocol.disk_bytes[variant] for variant in missing)
    root = engine.info().root_dir
    free = free_disk(root)
    if free is not None and free < needed:
        raise HostError(
            f"disk: the {' and '.join(missing)} images need {decimal(needed)}, "
            f"{decimal(free)} are free at {root}",
            "free disk space there; `kit clean --dry-run` shows what the kit itself holds",
        )
