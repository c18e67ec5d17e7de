"""Lists containers, volumes and images of an engine, and removes single ones."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import docker.errors

from kit.engine import container
from kit.engine.connection import Connection, all_of, reason_of, translate_errors
from kit.engine.objects import (
    ContainerEntry,
    EngineObject,
    EngineObjects,
    ImageEntry,
    Removed,
    Step,
    VolumeEntry,
    own_name,
)
from kit.errors import InUseError

_CONFLICT = 409
_USAGE_TRIES = 120
_USAGE_PAUSE_S = 0.5
_VOLUME_TRIES, _VOLUME_PAUSE_S = 10, 0.5


def objects(connection: Connection, label: str, value: str) -> EngineObjects:
    """Return all containers, volumes and images of the engine; see ``Engine.objects``."""
    with translate_errors(connection.endpoint):
        containers = connection.untyped.containers(all=True, size=True)
        volumes = connection.untyped.volumes().get("Volumes") or ()
        usage = _disk_usage(connection).get("Volumes") or ()
        ids = dict.fromkeys(str(image["Id"]) for image in connection.untyped.images(all=True))
    sizes = {v["Name"]: int((v.get("UsageData") or {}).get("Size") or 0) for v in usage}
    images = (_image(connection, image_id, label, value) for image_id in ids)
    return EngineObjects(
        containers=tuple(_container(entry) for entry in containers),
        volumes=tuple(_volume(entry, sizes) for entry in volumes),
        images=tuple(image for image in images if image is not None),
    )


def remove_object(connection: Connection, held: EngineObject) -> None:
    """Remove one container, volume or image and nothing else; see ``Engine.remove_object``."""
    if isinstance(held, ContainerEntry):
        container.remove(connection, held.id)
        return
    with translate_errors(connection.endpoint):
        try:
            if isinstance(held, VolumeEntry):
                connection.untyped.remove_volume(held.name)
            else:
                _remove_image(connection, held)
        except docker.errors.NotFound:
            return
        except docker.errors.APIError as error:
            if error.status_code != _CONFLICT:
                raise
            raise InUseError(reason_of(error), "end what uses it, then repeat") from error


def remove_by_label(connection: Connection, label: str, value: str) -> Removed:
    """Remove containers and volumes whose label has that value; see ``Engine.remove_by_label``."""
    filters = {"label": f"{label}={value}"}
    with translate_errors(connection.endpoint):
        found = connection.client.containers(all=True, filters=filters)
    named = own_name()
    own = [entry for entry in map(_container, found) if named.fullmatch(entry.name)]
    removed = sum(container.remove(connection, entry.id) for entry in own)
    with translate_errors(connection.endpoint):
        volumes = connection.client.volumes(filters=filters).get("Volumes") or ()
    return Removed(removed, sum(_remove_volume(connection, str(v["Name"])) for v in volumes))


def _remove_volume(connection: Connection, name: str) -> bool:
    """Remove a volume unless it is in use; return whether it was removed."""
    for _ in range(_VOLUME_TRIES):
        with translate_errors(connection.endpoint):
            try:
                connection.client.remove_volume(name)
            except docker.errors.NotFound:
                return False
            except docker.errors.APIError as error:
                if error.status_code != _CONFLICT:
                    raise
            else:
                return True
        # The process that removed its container was killed, and the engine is not done yet.
        time.sleep(_VOLUME_PAUSE_S)
    return False


def _disk_usage(connection: Connection) -> Mapping[str, Any]:
    # Docker computes sizes for one client at a time and refuses the others meanwhile.
    for _ in range(_USAGE_TRIES):
        try:
            return dict(connection.untyped.df())
        except docker.errors.APIError as error:
            if "already running" not in all_of(error):
                raise
            time.sleep(_USAGE_PAUSE_S)
    return dict(connection.untyped.df())


def _remove_image(connection: Connection, image: ImageEntry) -> None:
    # Never forced: that would remove an image that a stopped container uses, and with
    # Podman the container too. So an image with names in two repositories must lose
    # the other names first.
    tags = [name for name in image.names if "@" not in name]
    for name in (*tags[1:], image.id):
        connection.untyped.remove_image(name, noprune=True)


def _container(entry: Mapping[str, Any]) -> ContainerEntry:
    names = entry.get("Names") or [str(entry["Id"])[:12]]
    mounts = entry.get("Mounts") or ()
    return ContainerEntry(
        id=str(entry["Id"]),
        name=str(names[0]).lstrip("/"),
        image_id=_id(entry.get("ImageID")),
        labels=dict(entry.get("Labels") or {}),
        volumes=tuple(str(mount["Name"]) for mount in mounts if mount.get("Name")),
        size_bytes=int(entry.get("SizeRw") or 0),
        running=entry.get("State") == "running",
    )


def _volume(entry: Mapping[str, Any], sizes: Mapping[str, int]) -> VolumeEntry:
    name = str(entry["Name"])
    # The engine reports -1 for an unknown size.
    return VolumeEntry(name, dict(entry.get("Labels") or {}), max(0, sizes.get(name, 0)))


def _image(connection: Connection, image_id: str, label: str, value: str) -> ImageEntry | None:
    """Return the image's entry; None where it was removed since it was listed."""
    with translate_errors(connection.endpoint):
        try:
            image = connection.untyped.inspect_image(image_id)
            labels = dict((image.get("Config") or {}).get("Labels") or {})
            asked_for = labels.get(label) == value
            history = connection.untyped.history(image_id) if asked_for else ()
        except docker.errors.NotFound:
            return None
    steps = (Step(str(s.get("CreatedBy") or ""), int(s.get("Size") or 0)) for s in history)
    return ImageEntry(
        id=_id(image_id),
        names=(*(image.get("RepoTags") or ()), *(image.get("RepoDigests") or ())),
        labels=labels,
        parent=_id(image.get("Parent")),
        layers=tuple((image.get("RootFS") or {}).get("Layers") or ()),
        size_bytes=int(image.get("Size") or 0),
        steps=tuple(steps)[::-1],
    )


def _id(text: object) -> str:
    """Return an image's id with its prefix, which Podman leaves out in some places."""
    return f"sha256:{str(text).removeprefix('sha256:')}" if text else ""
