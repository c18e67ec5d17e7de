"""A scripted engine for unit tests: implements the Engine protocol without containers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from kit.engine.objects import EngineObject, EngineObjects, LimitChange, Removed, VolumeEntry
from kit.engine.protocol import (
    BuildRequest,
    EngineInfo,
    ImageInfo,
    LineSink,
    RunOutcome,
    RunRequest,
)
from kit.errors import ImageError, RunError, UnreachableError

RunScript = Callable[[RunRequest], RunOutcome]
INFO = EngineInfo(
    name="Fake",
    version="1.0",
    api_version="1.41",
    endpoint="unix:///fake.sock",
    cgroup_version="2",
    storage_driver="overlay2",
    cpus=4,
    memory_bytes=16 * 2**30,
    architecture="x86_64",
    kernel="6.1.0",
    operating_system="Fake Linux",
    root_dir="/var/lib/fake",
    runtimes=("runc",),
    registry_mirrors=(),
)
SUCCESS = RunOutcome(
    exit_code=0,
    oom_killed=False,
    timed_out=False,
    started_at="2024-01-01T00:00:00.000000000Z",
    finished_at="2024-01-01T00:00:01.000000000Z",
    logs="",
    files={},
)


def image(name: str, labels: Mapping[str, str] | None = None, size: int = 1000) -> ImageInfo:
    """An image whose id follows from its name."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return ImageInfo(
        id=f"sha256:{digest}",
        tags=() if "@" in name else (name,),
        digests=(name,) if "@" in name else (),
        size_bytes=size,
        labels=dict(labels or {}),
        created="2024-01-01T00:00:00Z",
    )


def succeeds(files: Mapping[str, bytes] | None = None, logs: str = "") -> RunScript:
    """Every run ends well with these result files."""
    return lambda request: replace(SUCCESS, files=dict(files or {}), logs=logs)


def fails(exit_code: int = 1, logs: str = "it broke\n") -> RunScript:
    """Every run exits with that code."""
    return lambda request: replace(SUCCESS, exit_code=exit_code, logs=logs)


def out_of_memory() -> RunScript:
    """Every run is killed for memory."""
    return lambda request: replace(SUCCESS, exit_code=137, oom_killed=True)


def times_out() -> RunScript:
    """Every run is killed at its time limit."""
    return lambda request: replace(SUCCESS, exit_code=137, timed_out=True)


def limited(name: str, asked: str, found: str, script: RunScript) -> RunScript:
    """Every run follows the script while somebody changes a limit of its container."""
    return lambda request: replace(script(request), changed=(LimitChange(name, asked, found),))


def raises(error: BaseException) -> RunScript:
    """Every run raises: KeyboardInterrupt() for Ctrl-C, RunError(...), HostError(...)."""

    def script(request: RunRequest) -> RunOutcome:
        raise error

    return script


def in_turn(*scripts: RunScript) -> RunScript:
    """The first run follows the first script, and so on; the last one repeats."""
    left = list(scripts)

    def script(request: RunRequest) -> RunOutcome:
        return (left.pop(0) if len(left) > 1 else left[0])(request)

    return script


@dataclass
class FakeEngine:
    """Scripted images, builds and runs; every call is kept in ``calls``.

    ``images`` is the local store by reference. ``pulls`` holds what a pull of a
    reference gives: an image or an error; any other reference is refused.
    ``trees`` holds what an export of an image id gives, ``digests`` what a registry
    answers for a reference. ``build_errors`` holds the error of a build by tag.
    ``held`` is what objects() lists, apart from ``images``; ``remove_errors`` holds
    what the removal raises by id or volume name. ``on_run`` makes outcomes.
    """

    on_run: RunScript = field(default_factory=succeeds)
    engine_info: EngineInfo = INFO
    images: dict[str, ImageInfo] = field(default_factory=dict)
    pulls: dict[str, ImageInfo | Exception] = field(default_factory=dict)
    loads: dict[Path, tuple[ImageInfo, ...]] = field(default_factory=dict)
    trees: dict[str, bytes] = field(default_factory=dict)
    digests: dict[str, str | Exception] = field(default_factory=dict)
    build_errors: dict[str, Exception] = field(default_factory=dict)
    build_lines: tuple[str, ...] = ("Step 1/1 : FROM scratch",)
    held: EngineObjects = field(default_factory=EngineObjects)
    remove_errors: dict[str, BaseException] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    running: list[RunRequest] = field(default_factory=list)
    """Containers that exist: empty again after every run, however it ended."""

    def named(self, name: str) -> list[Any]:
        """The arguments of every call of that method, in order."""
        return [argument for called, argument in self.calls if called == name]

    @property
    def endpoint(self) -> str:
        return self.engine_info.endpoint

    def info(self) -> EngineInfo:
        self.calls.append(("info", None))
        return self.engine_info

    def find_image(self, reference: str) -> ImageInfo | None:
        self.calls.append(("find_image", reference))
        if reference in self.images:
            return self.images[reference]
        return next((found for found in self.images.values() if found.id == reference), None)

    def pull(self, reference: str, idle_timeout_s: float) -> ImageInfo:
        self.calls.append(("pull", (reference, idle_timeout_s)))
        answer = self.pulls.get(
            reference,
            UnreachableError(f"{reference} could not be pulled: no answer", "use a mirror"),
        )
        if isinstance(answer, Exception):
            raise answer
        self.images[reference] = answer
        return answer

    def load(self, archive: Path) -> tuple[ImageInfo, ...]:
        self.calls.append(("load", archive))
        if archive not in self.loads:
            raise ImageError(f"{archive} cannot be loaded: not scripted", "script it")
        for loaded in self.loads[archive]:
            self.images.update(dict.fromkeys((*loaded.tags, *loaded.digests), loaded))
        return self.loads[archive]

    def import_rootfs(self, tar: Path, reference: str, changes: Sequence[str]) -> ImageInfo:
        self.calls.append(("import_rootfs", (tar, reference, tuple(changes))))
        self.images[reference] = image(reference)
        return self.images[reference]

    def build(self, request: BuildRequest, on_line: LineSink) -> ImageInfo:
        self.calls.append(("build", request))
        for line in self.build_lines:
            on_line(line)
        if request.tag in self.build_errors:
            raise self.build_errors[request.tag]
        self.images[request.tag] = image(request.tag, request.labels)
        return self.images[request.tag]

    def tag(self, image_id: str, reference: str) -> None:
        self.calls.append(("tag", (image_id, reference)))
        found = self.find_image(image_id)
        if found is None:
            raise ImageError(f"{image_id} cannot be tagged {reference}: no such image", "build it")
        self.images[reference] = found

    def remove_image(self, reference: str) -> bool:
        self.calls.append(("remove_image", reference))
        names = [n for n, found in self.images.items() if reference in (n, found.id)]
        for name in names:
            del self.images[name]
        return bool(names)

    def save(self, references: Sequence[str], archive: BinaryIO) -> None:
        self.calls.append(("save", tuple(references)))
        archive.write(b"saved " + " ".join(references).encode())

    @contextmanager
    def export(self, image: str) -> Iterator[Iterator[bytes]]:
        self.calls.append(("export", image))
        found = self.find_image(image)
        if found is None or found.id not in self.trees:
            raise ImageError(f"there is no image {image} to read", "script it in trees")
        yield iter([self.trees[found.id]])

    def remote_digest(self, reference: str) -> str:
        self.calls.append(("remote_digest", reference))
        answer = self.digests.get(
            reference, UnreachableError(f"{reference} could not be asked for: no answer", "wait")
        )
        if isinstance(answer, Exception):
            raise answer
        return answer

    def run(self, request: RunRequest) -> RunOutcome:
        self.calls.append(("run", request))
        if self.images and self.find_image(request.image) is None:
            raise RunError(f"there is no image {request.image} to run", "build the images first")
        self.running.append(request)
        try:
            return self.on_run(request)
        finally:
            self.running.remove(request)

    def labelling(self, labels: Mapping[str, str]) -> FakeEngine:
        self.calls.append(("labelling", dict(labels)))
        return self

    def remove_by_label(self, label: str, value: str) -> Removed:
        self.calls.append(("remove_by_label", (label, value)))
        gone = [request for request in self.running if request.labels.get(label) == value]
        for request in gone:
            self.running.remove(request)
        return Removed(len(gone), len(gone))

    def objects(self, label: str, value: str) -> EngineObjects:
        self.calls.append(("holdings", (label, value)))
        return self.held

    def remove_object(self, held: EngineObject) -> None:
        self.calls.append(("discard", held))
        name = held.name if isinstance(held, VolumeEntry) else held.id
        if name in self.remove_errors:
            raise self.remove_errors[name]
