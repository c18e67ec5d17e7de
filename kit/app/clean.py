"""Find and remove the objects in the engine's store that the kit created.

The label LABEL is not sufficient: a container that a user starts from one of the kit's
images inherits it. The kit removes a labelled object only if it is

- a container with a name that the kit generated (``kit-<16 hex digits>``);
- a volume: volumes never inherit labels;
- an image that the kit built, see ``kit.images.stored``.

It keeps an image if a container or another image that stays uses it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kit.engine.objects import (
    OWNER,
    ContainerEntry,
    EngineObject,
    EngineObjects,
    ImageEntry,
    VolumeEntry,
    own_name,
)
from kit.engine.protocol import LABEL, LOCK_LABEL, Engine
from kit.errors import InUseError
from kit.images.stored import labelled

_NOP = r"(?:/bin/sh -c #\(nop\)\s+)?"
_NO_LAYER = re.compile(
    rf"{_NOP}(?:ARG|CMD|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|ONBUILD|SHELL|STOPSIGNAL|USER|VOLUME)\b"
)
_WORKDIR = re.compile(rf"{_NOP}WORKDIR\b")
Removed = Callable[[EngineObject], None]


@dataclass(frozen=True)
class KeptObject:
    """An object with the kit's label that is not removed, and the reason."""

    held: EngineObject
    why: str


@dataclass(frozen=True)
class RemovalPlan:
    """Objects of the engine's store to remove, in this order, and objects to keep.

    ``freed_bytes`` is the space that the removal frees on the engine's disk.
    """

    remove: tuple[EngineObject, ...]
    kept: tuple[KeptObject, ...]
    freed_bytes: int


@dataclass(frozen=True)
class Living:
    """A kit that measures or builds now: its lock's id, and its process's name for messages."""

    lock: str
    holder: str

    def uses(self, held: ContainerEntry | VolumeEntry) -> bool:
        """Return whether that kit created the container or volume, by its label with a lock id."""
        return held.labels.get(LOCK_LABEL) == self.lock


def plan_removal(
    objects: EngineObjects, owner: str = OWNER, living: Living | None = None
) -> RemovalPlan:
    """Return the plan to remove the kit's containers, then volumes, then images.

    Images that others are built on come last. ``owner`` is the label's value of the kit's objects;
    ``living`` is another kit that holds this machine's lock, None if there is none.
    """
    containers, kept_containers = _containers(objects, owner, living)
    staying = [held for held in objects.containers if held not in containers]
    volumes, kept_volumes = _volumes(objects, owner, staying, living)
    unused, kept_images = _images(objects, owner, staying)
    images = unused if living is None else []
    needed = (
        [KeptObject(image, f"{living.holder} may need it") for image in unused] if living else []
    )
    remove: tuple[EngineObject, ...] = (*containers, *volumes, *images)
    kept = (*kept_containers, *kept_volumes, *kept_images, *needed)
    return RemovalPlan(remove, kept, reclaimable_bytes(objects, remove))


def remove_planned(
    engine: Engine, objects: EngineObjects, plan: RemovalPlan, removed: Removed
) -> RemovalPlan:
    """Remove the plan's objects; return a plan of those removed and kept.

    Calls ``removed`` with each object after its removal. Keeps objects that came into use
    since the plan was made. An interrupt leaves the rest for the next time. Raises HostError.
    """
    gone: list[EngineObject] = []
    kept = list(plan.kept)
    for held in plan.remove:
        try:
            engine.remove_object(held)
        except InUseError as error:
            kept.append(KeptObject(held, error.problem))
            continue
        gone.append(held)
        removed(held)
    return RemovalPlan(tuple(gone), tuple(kept), reclaimable_bytes(objects, gone))


def reclaimable_bytes(objects: EngineObjects, remove: Iterable[EngineObject]) -> int:
    """Return the bytes that removing these objects frees, counting each unshared layer once."""
    going = set(map(_key, remove))
    here: list[EngineObject] = [*objects.containers, *objects.volumes]
    total = sum(held.size_bytes for held in here if _key(held) in going)
    stays: set[tuple[str, ...]] = set()
    goes: dict[tuple[str, ...], int] = {}
    for image in objects.images:
        chains = [image.layers[: i + 1] for i in range(len(image.layers))]
        if _key(image) in going:
            goes.update(zip(chains, _layer_sizes(image), strict=True))
        else:
            stays.update(chains)
    return total + sum(size for chain, size in goes.items() if chain not in stays)


def _containers(
    objects: EngineObjects, owner: str, living: Living | None
) -> tuple[list[ContainerEntry], list[KeptObject]]:
    """Return the kit's containers that no living kit uses, and those that stay."""
    named = own_name(owner)
    found: list[ContainerEntry] = []
    kept: list[KeptObject] = []
    for held in objects.containers:
        if held.labels.get(LABEL) != owner:
            continue
        if not named.fullmatch(held.name):
            kept.append(
                KeptObject(
                    held, "its name is not one that the kit gives: the label may be its image's"
                )
            )
        elif living is not None and living.uses(held):
            kept.append(KeptObject(held, f"{living.holder} uses it"))
        else:
            found.append(held)
    return found, kept


def _volumes(
    objects: EngineObjects, owner: str, staying: list[ContainerEntry], living: Living | None
) -> tuple[list[VolumeEntry], list[KeptObject]]:
    """Return the kit's volumes that nothing uses, and those that stay."""
    users = {volume: held.name for held in staying for volume in held.volumes}
    found: list[VolumeEntry] = []
    kept: list[KeptObject] = []
    for held in objects.volumes:
        if held.labels.get(LABEL) != owner:
            continue
        if held.name in users:
            kept.append(KeptObject(held, f"container {users[held.name]} uses it"))
        elif living is not None and living.uses(held):
            kept.append(KeptObject(held, f"{living.holder} uses it"))
        else:
            found.append(held)
    return found, kept


def _images(
    objects: EngineObjects, owner: str, staying: list[ContainerEntry]
) -> tuple[list[ImageEntry], list[KeptObject]]:
    """Return the kit's images that nothing uses, and those that stay."""
    found = labelled(objects.images, owner)
    foreign = [KeptObject(image, why) for image, why in found.foreign]
    users = {held.image_id: f"container {held.name} uses it" for held in staying}
    unused, used = _unused(found.own, _children(objects.images), users)
    return unused, [*foreign, *used]


def _children(images: Iterable[ImageEntry]) -> dict[str, list[ImageEntry]]:
    children: dict[str, list[ImageEntry]] = {}
    for image in images:
        children.setdefault(image.parent, []).append(image)
    return children


def _unused(
    own: Iterable[ImageEntry], children: dict[str, list[ImageEntry]], users: dict[str, str]
) -> tuple[list[ImageEntry], list[KeptObject]]:
    """Return the images that no remaining container or image uses, and the others.

    Each of ``own`` comes before the images it is built on, so that every child is decided
    before its parent.
    """
    going: dict[str, ImageEntry] = {}
    kept: list[KeptObject] = []
    causes: dict[str, str] = {}
    for image in own:
        resting = [child for child in children.get(image.id, ()) if child.id not in going]
        if image.id in users:
            kept.append(KeptObject(image, users[image.id]))
        elif resting:
            # The image at the end of the chain: the unnamed steps between mean little to users.
            causes[image.id] = causes.get(resting[0].id, title(resting[0]))
            cause = causes[image.id] if image.names else "an image that stays"
            kept.append(KeptObject(image, f"{cause} is built on it"))
        else:
            going[image.id] = image
    return list(going.values()), kept


def title(held: EngineObject) -> str:
    """Return the kind and name of an object in the engine's store, for messages."""
    if isinstance(held, ImageEntry):
        short = held.id.removeprefix("sha256:")[:12]
        return f"image {held.names[0] if held.names else short}"
    return f"{'container' if isinstance(held, ContainerEntry) else 'volume'} {held.name}"


def _layer_sizes(image: ImageEntry) -> list[int]:
    """Return the size of every layer. The history has more steps than the image has layers."""
    count = len(image.layers)
    steps = [step for step in image.steps if step.size_bytes or not _NO_LAYER.match(step.text)]
    if len(steps) > count:
        # A step that sets an existing folder as WORKDIR adds no layer either.
        steps = [step for step in steps if step.size_bytes or not _WORKDIR.match(step.text)]
    if len(steps) != count:
        steps = [step for step in steps if step.size_bytes]
    sizes = [step.size_bytes for step in steps]
    return [*sizes, *[0] * count][:count]


def _key(held: EngineObject) -> tuple[str, str]:
    return type(held).__name__, held.name if isinstance(held, VolumeEntry) else held.id
