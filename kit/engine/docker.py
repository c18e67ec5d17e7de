"""The engine protocol over docker-py: Docker, and Podman through its Docker API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from kit.engine import container, images, pull
from kit.engine import listing as inventory
from kit.engine.connection import Connection, translate_errors
from kit.engine.hardening import engine_version
from kit.engine.objects import EngineObject, EngineObjects, Removed
from kit.engine.protocol import (
    BuildRequest,
    EngineInfo,
    ImageInfo,
    LineSink,
    RunOutcome,
    RunRequest,
)


class DockerEngine:
    """An engine that answered; ``kit.engine.discover.discover`` returns one.

    Every method raises HostError when the engine is gone; ``Engine`` lists the
    other errors of each.
    """

    def __init__(self, connection: Connection) -> None:
        """Take an open connection."""
        self._link = connection

    def labelling(self, labels: Mapping[str, str]) -> DockerEngine:
        """Return the same engine; its containers, and their volumes, carry these labels too."""
        return DockerEngine(replace(self._link, labels=dict(labels)))

    @property
    def endpoint(self) -> str:
        """Return the engine's URL."""
        return self._link.endpoint

    def info(self) -> EngineInfo:
        """Return facts on the engine and its machine. Sizes in bytes."""
        with translate_errors(self._link.endpoint):
            info = self._link.client.info()
            version = self._link.client.version()
        mirrors = (info.get("RegistryConfig") or {}).get("Mirrors") or ()
        return EngineInfo(
            name=self._link.quirks.engine,
            version=engine_version(version),
            api_version=str(self._link.client.api_version),
            endpoint=self._link.endpoint,
            # Engines before 20.10 know version 1 only and do not name it.
            cgroup_version=str(info.get("CgroupVersion") or "1"),
            storage_driver=str(info.get("Driver", "")),
            cpus=int(info.get("NCPU") or 0),
            containers_running=int(info.get("ContainersRunning") or 0),
            memory_bytes=int(info.get("MemTotal") or 0),
            architecture=str(info.get("Architecture", "")),
            kernel=str(info.get("KernelVersion", "")),
            operating_system=str(info.get("OperatingSystem", "")),
            root_dir=str(info.get("DockerRootDir", "")),
            runtimes=tuple(sorted(info.get("Runtimes") or ())),
            registry_mirrors=tuple(str(mirror) for mirror in mirrors),
            gpu_drivers=self._link.quirks.gpu_drivers,
            cdi_devices=tuple(
                str(device.get("ID", ""))
                for device in info.get("DiscoveredDevices") or ()
                if device.get("Source") == "cdi"
            ),
        )

    def find_image(self, reference: str) -> ImageInfo | None:
        """Return the local image of that tag, digest or id; None when there is none."""
        return images.find(self._link, reference)

    def pull(self, reference: str, idle_timeout_s: float) -> ImageInfo:
        """Pull an image by its digest; see ``Engine.pull``.

        Raises ImageError, and InputError for a reference without a digest.
        """
        return pull.pull(self._link, reference, idle_timeout_s)

    def load(self, archive: Path) -> tuple[ImageInfo, ...]:
        """Load an archive of images (`docker save`); return the images. Raises ImageError."""
        return images.load(self._link, archive)

    def import_rootfs(self, tar: Path, reference: str, changes: Sequence[str]) -> ImageInfo:
        """Make a one-layer image of a root file system tar. Raises ImageError.

        See ``Engine.import_rootfs``.
        """
        return images.import_rootfs(self._link, tar, reference, changes)

    def build(self, request: BuildRequest, on_line: LineSink) -> ImageInfo:
        """Build an image; call ``on_line`` with every line of builder output. Raises ImageError."""
        return images.build(self._link, request, on_line)

    def tag(self, image_id: str, reference: str) -> None:
        """Give a local image the further name ``reference`` (name:tag). Raises ImageError."""
        images.tag(self._link, image_id, reference)

    def remove_image(self, reference: str) -> bool:
        """Remove an image; return whether there was one. Raises ImageError while it is in use."""
        return images.remove(self._link, reference)

    def save(self, references: Sequence[str], archive: BinaryIO) -> None:
        """Write these images into one archive (`docker save`). Raises ImageError."""
        images.save(self._link, references, archive)

    def export(self, image: str) -> AbstractContextManager[Iterator[bytes]]:
        """Open the image's merged file tree as chunks of one tar. Raises ImageError."""
        return container.export(self._link, image)

    def remote_digest(self, reference: str) -> str:
        """Return the digest that a registry has for a reference now. Raises ImageError."""
        return pull.remote_digest(self._link, reference)

    def run(self, request: RunRequest) -> RunOutcome:
        """Run a container from creation to removal. Raises RunError if it cannot start."""
        return container.run(self._link, request)

    def remove_by_label(self, label: str, value: str) -> Removed:
        """Remove kit's own containers, running ones too, and volumes with that label."""
        return inventory.remove_by_label(self._link, label, value)

    def objects(self, label: str, value: str) -> EngineObjects:
        """Return all containers, volumes and images of the engine; see ``Engine.objects``."""
        return inventory.objects(self._link, label, value)

    def remove_object(self, held: EngineObject) -> None:
        """Remove one container, volume or image and nothing else. Raises InUseError."""
        inventory.remove_object(self._link, held)
