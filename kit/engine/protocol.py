"""The interface to a container engine: requests, outcomes, the protocol.

Requests are plain values, separate from outcomes, so that plans can be made and
tested without an engine. Input travels inside the request (environment) and
results come back from an anonymous volume through the archive call: kit uses
no bind mounts, so a remote engine works the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from kit.engine.objects import OWNER, EngineObject, EngineObjects, LimitChange, Removed

RESULTS_DIR = "/results"
LABEL = "org.kit.owner"
OWNED: Mapping[str, str] = {LABEL: OWNER}
"""The label of every container, volume and image that kit creates; ``kit.engine`` adds it."""
SESSION_LABEL = "org.kit.session"
LOCK_LABEL = "org.kit.lock"
"""On containers and their volumes: ``kit.host.locks.lock_namespace_id`` of their maker's lock."""


@dataclass(frozen=True)
class RunRequest:
    """One container to run, hardened: no network, read-only root, no capabilities.

    ``memory_bytes`` is a hard limit with no swap on top; ``cpuset`` is the
    engine's form ("0-1"); ``timeout_s`` counts from the start of the container.
    ``gpu`` requests NVIDIA devices: "all", the index or UUID of one, or a name of
    the Container Device Interface ("nvidia.com/gpu=0"); None: none.
    ``terminal`` attaches a terminal to its output, as in interactive use.
    ``volumes`` maps a named volume, created when missing and kept, to its mount
    path; no measurement may depend on the content of one.
    """

    image: str
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    cpuset: str | None = None
    memory_bytes: int | None = None
    pids: int = 512
    tmpfs: Mapping[str, str] = field(default_factory=lambda: {"/tmp": "rw,nosuid,size=256m"})
    timeout_s: float = 600.0
    labels: Mapping[str, str] = field(default_factory=dict)
    results_dir: str = RESULTS_DIR
    gpu: str | None = None
    terminal: bool = False
    volumes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunOutcome:
    """The outcome of one container. Times are the engine's, as RFC 3339 text."""

    exit_code: int | None
    oom_killed: bool
    timed_out: bool
    started_at: str
    finished_at: str
    logs: str
    """The end of both streams. An engine keeps order within a stream, not between the two."""
    files: Mapping[str, bytes]
    """Result files by path relative to the results folder."""
    broken: str = ""
    """Why the result files cannot be used, such as their size; ``files`` is then empty."""
    changed: tuple[LimitChange, ...] = ()
    """Limits that another client changed between the container's start and its end."""


@dataclass(frozen=True)
class ImageInfo:
    """An image in the engine's local store. ``size_bytes`` counts all layers.

    ``layers`` are the sha256 of the unpacked layers, lowest first: two images
    share those that begin both lists.
    """

    id: str
    tags: tuple[str, ...]
    digests: tuple[str, ...]
    size_bytes: int
    labels: Mapping[str, str]
    created: str
    architecture: str = "amd64"
    layers: tuple[str, ...] = ()
    config: Mapping[str, object] = field(default_factory=dict)
    """Defaults of its containers: Cmd, Entrypoint, Env, User, Volumes, WorkingDir."""


@dataclass(frozen=True)
class EngineInfo:
    """Facts on the engine and the machine it runs on (which may be remote). Sizes in bytes."""

    name: str
    version: str
    api_version: str
    endpoint: str
    cgroup_version: str
    storage_driver: str
    cpus: int
    memory_bytes: int
    architecture: str
    kernel: str
    operating_system: str
    root_dir: str
    runtimes: tuple[str, ...]
    registry_mirrors: tuple[str, ...]
    gpu_drivers: tuple[str, ...] = ("nvidia",)
    """Drivers of device requests that are honoured or refused, never ignored."""
    containers_running: int = 0
    cdi_devices: tuple[str, ...] = ()
    """Names that the engine discovered; engines before API 1.50 do not report them."""

    @property
    def local(self) -> bool:
        """Return whether the engine runs on this machine, and so uses its disk, memory, cores."""
        return is_local(self.endpoint)


@dataclass(frozen=True)
class BuildRequest:
    """One image to build by the classic builder.

    ``context`` is an uncompressed tar stream with the Dockerfile inside it.
    ``cache`` False: every step runs again.
    """

    context: BinaryIO
    dockerfile: str
    tag: str
    args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    cache: bool = True


LineSink = Callable[[str], None]


class Engine(Protocol):
    """A container engine. Every method may raise HostError when it is gone."""

    def info(self) -> EngineInfo:
        """Return facts on the engine and its machine."""
        ...

    def find_image(self, reference: str) -> ImageInfo | None:
        """Return the local image of that tag, digest or id; None if the engine has none."""
        ...

    def pull(self, reference: str, idle_timeout_s: float) -> ImageInfo:
        """Pull an image by digest (``name@sha256:...``) and return it.

        Stops after ``idle_timeout_s`` seconds without progress. Raises InputError for a reference
        without a digest, ImageError with the registry's reason: UnreachableError, DeniedError,
        AbsentError or ContentError where the reason is known. After a refusal the store has no
        image of that digest.
        """
        ...

    def load(self, archive: Path) -> tuple[ImageInfo, ...]:
        """Load an archive of images (`docker save`); return the images. Raises ImageError."""
        ...

    def import_rootfs(self, tar: Path, reference: str, changes: Sequence[str]) -> ImageInfo:
        """Make a one-layer image of a root file system tar, named ``reference``, and return it.

        ``changes`` are Dockerfile instructions for its configuration, such as "ENV A=b". Raises
        ImageError.
        """
        ...

    def build(self, request: BuildRequest, on_line: LineSink) -> ImageInfo:
        """Build an image and return it; call ``on_line`` with every line of builder output.

        Raises ImageError if the build fails.
        """
        ...

    def tag(self, image_id: str, reference: str) -> None:
        """Give a local image the further name ``reference`` (name:tag). Raises ImageError."""
        ...

    def remove_image(self, reference: str) -> bool:
        """Remove an image; return whether there was one. Raises ImageError while it is in use."""
        ...

    def save(self, references: Sequence[str], archive: BinaryIO) -> None:
        """Write these images, shared layers once, into one archive (`docker save`).

        Raises ImageError.
        """
        ...

    def export(self, image: str) -> AbstractContextManager[Iterator[bytes]]:
        """Open the image's merged file tree as chunks of one tar. Raises ImageError.

        It is read from a container that is created for this, never started and removed
        at the end: dev/, proc/, sys/, .dockerenv and etc/{hosts,hostname,resolv.conf,mtab}
        come from the engine, not from the image.
        """
        ...

    def remote_digest(self, reference: str) -> str:
        """Return the digest that a registry has for name:tag or name@digest now.

        Raises UnreachableError when it does not answer, AbsentError when it has none,
        else ImageError with its reason.
        """
        ...

    def run(self, request: RunRequest) -> RunOutcome:
        """Create a container, start it, wait for its end, collect its results and remove it.

        The container and its volume are gone when this returns or raises. A program that fails, or
        whose results are too large or broken, is an outcome, not an error. Raises RunError only
        when the container cannot be started, HostError when the engine is gone.
        """
        ...

    def remove_by_label(self, label: str, value: str) -> Removed:
        """Remove kit's own containers, running ones too, and volumes whose label has that value.

        Returns how many. Keeps containers whose name kit did not generate (they inherited the
        label) and volumes in use.
        """
        ...

    def objects(self, label: str, value: str) -> EngineObjects:
        """Return all containers, volumes and images of the engine.

        Images whose ``label`` has that value come with the steps of their history.
        """
        ...

    def remove_object(self, held: EngineObject) -> None:
        """Remove one container, volume or image, unless it is gone already.

        A running container is killed, and its anonymous volumes are removed with it;
        parents of an image stay. Raises InUseError where an image or a volume is in use.
        """
        ...


def is_local(url: str) -> bool:
    """Return whether an engine at that URL runs on this machine, and thus uses its disk."""
    return url.startswith(("unix://", "http+unix://", "/"))
