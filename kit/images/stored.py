"""The engine's store: has it the arms' images and disk space, and which images did the kit build?

The label LABEL does not tell which: an image built FROM one of the kit's inherits it. The kit
built an image if all of its names begin with ``kit/`` and its history shows a build by the
kit. The kit's recipes set the label first in every stage, and the kit's builds end with a
step that sets RECIPE_LABEL: if other steps follow that one and do not set the label again,
somebody else built the image. (Some engines do not record that last step; there only the
names decide.) An unnamed image below one of the kit's is the kit's too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.filesize import decimal

from kit.engine.objects import ImageEntry, Step
from kit.engine.protocol import LABEL, Engine
from kit.errors import HostError
from kit.images.build.recipe import RECIPE_LABEL, largest, references
from kit.study.model import Study

_LABEL_STEP = re.compile(r"(?:/bin/sh -c #\(nop\)\s+)?LABEL\s(?P<labels>.*)", re.DOTALL)
# Podman adds the registry to a short name.
_SHORT = re.compile(r"(?:localhost/|docker\.io/)?")


@dataclass(frozen=True)
class Labelled:
    """Images with the kit's label.

    ``own`` are the kit's, each before those it is built on; ``foreign`` are somebody else's,
    each with the reason.
    """

    own: tuple[ImageEntry, ...]
    foreign: tuple[tuple[ImageEntry, str], ...]


def images_there(engine: Engine, study: Study, arms: Sequence[str]) -> bool:
    """Return whether the engine has every arm's image, built by this version of the kit."""
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


def labelled(images: Sequence[ImageEntry], owner: str) -> Labelled:
    """Divide the images with the label of that owner into the kit's and other people's.

    ``images`` are all in the engine's store.
    """
    by_id = {image.id: image for image in images}
    found = [image for image in images if image.labels.get(LABEL) == owner]
    foreign = _foreign(found, by_id, owner)
    own = [image for image in found if image.id not in foreign]
    # Images furthest from their base first.
    own.sort(key=lambda image: -sum(1 for _ in _ancestors(image, by_id)))
    return Labelled(tuple(own), tuple((by_id[key], why) for key, why in foreign.items()))


def _foreign(
    found: Sequence[ImageEntry], by_id: Mapping[str, ImageEntry], owner: str
) -> dict[str, str]:
    """Return, by id, why labelled images are not the kit's."""
    foreign = {image.id: why for image in found if (why := _why_foreign(image, owner))}
    for image in found:
        if image.id not in foreign:
            # The unnamed steps of the kit's own build.
            for ancestor in _ancestors(image, by_id):
                if ancestor.names:
                    break
                foreign.pop(ancestor.id, None)
    return foreign


def _why_foreign(image: ImageEntry, owner: str) -> str:
    """Return why a labelled image is not the kit's; "" if it is."""
    for name in image.names:
        if not _SHORT.sub("", name, count=1).startswith(f"{owner}/"):
            return f"its name {name} is not one that the kit gives"
    if not _built_by_the_kit(image.steps, owner):
        return "the history shows no build by the kit"
    return ""


def _built_by_the_kit(steps: tuple[Step, ...], owner: str) -> bool:
    for i, step in enumerate(reversed(steps)):
        match = _LABEL_STEP.match(step.text)
        labels = match["labels"] if match else ""
        if _sets(labels, RECIPE_LABEL, r"\S+"):
            # The last step of a build; the engine may add further labels after it.
            return all(_LABEL_STEP.match(later.text) for later in steps[len(steps) - i :])
        if _sets(labels, LABEL, re.escape(owner)):
            return True
    # An imported file system is a single step and has its label without one.
    return len(steps) == 1


def _sets(labels: str, name: str, value: str) -> bool:
    """Return whether a LABEL step sets that name to the value, a pattern. Podman quotes both."""
    return re.search(rf'(?:^|\s)"?{re.escape(name)}"?="?{value}"?(?:\s|$)', labels) is not None


def _ancestors(image: ImageEntry, by_id: Mapping[str, ImageEntry]) -> Iterator[ImageEntry]:
    parent = by_id.get(image.parent)
    while parent is not None:
        yield parent
        parent = by_id.get(parent.parent)
