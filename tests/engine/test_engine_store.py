"""What outlives a run, for real: saved and exported images, kept volumes, a GPU refused."""

from __future__ import annotations

import io
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import rootfs

from kit.engine.docker import DockerEngine
from kit.engine.protocol import LABEL, SESSION_LABEL, BuildRequest, ImageInfo, RunRequest
from kit.errors import ImageError, RunError

pytestmark = pytest.mark.engine


class Workshop:
    """Builds images under names of its own and forgets none of them."""

    def __init__(self, engine: DockerEngine) -> None:
        self.engine = engine
        self.word = uuid.uuid4().hex[:12]
        self.tags: list[str] = []

    def build(
        self, name: str, dockerfile: str, *, cache: bool = True, lines: list[str] | None = None
    ) -> ImageInfo:
        tag = f"kit-test/{name}:{self.word}"
        self.tags.append(tag)
        request = BuildRequest(rootfs.context(dockerfile), "Dockerfile", tag, cache=cache)
        return self.engine.build(request, [].append if lines is None else lines.append)

    def clear(self) -> None:
        for tag in self.tags:
            self.engine.remove_image(tag)


@pytest.fixture
def workshop(engine: DockerEngine) -> Iterator[Workshop]:
    made = Workshop(engine)
    yield made
    made.clear()


@pytest.fixture
def layered(workshop: Workshop, tiny_image: str) -> ImageInfo:
    """A file of the first layer is written anew by the second; it has a volume."""
    return workshop.build(
        "layered",
        f"FROM {tiny_image}\nUSER 0\nRUN echo old > /etc/word; echo kept > /etc/other\n"
        "RUN echo new > /etc/word\nVOLUME /results\nUSER 10001:10001\n",
    )


def containers_of(engine: DockerEngine, image: ImageInfo) -> list[str]:
    filters = {"ancestor": image.id}
    client = engine._link.client
    return [c["Id"] for c in client.containers(all=True, quiet=True, filters=filters)]


def volumes_of(engine: DockerEngine, container: str) -> set[str]:
    return {m["Name"] for m in engine._link.client.inspect_container(container)["Mounts"]}


def all_volumes(engine: DockerEngine) -> set[str]:
    return {v["Name"] for v in engine._link.client.volumes()["Volumes"] or ()}


def test_an_export_is_the_merged_tree(engine: DockerEngine, layered: ImageInfo) -> None:
    with engine.export(layered.id) as chunks:
        data = b"".join(chunks)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        names = archive.getnames()
        assert names.count("etc/word") == 1
        texts = [archive.extractfile(f"etc/{name}") for name in ("word", "other")]
        assert [text.read() for text in texts if text] == [b"new\n", b"kept\n"]
        assert archive.getmember("results").uid == 10001
    assert "bin/sh" in names
    assert containers_of(engine, layered) == []


def test_an_export_that_is_not_read_to_its_end_leaves_nothing(
    engine: DockerEngine, layered: ImageInfo
) -> None:
    with engine.export(layered.id) as chunks:
        assert next(chunks)
        (container,) = containers_of(engine, layered)
        volumes = volumes_of(engine, container)
    assert volumes, "the image's own volume was made for it"
    assert containers_of(engine, layered) == []
    assert not volumes & all_volumes(engine)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("unreadable")])
def test_an_export_whose_reader_fails_leaves_nothing(
    engine: DockerEngine, layered: ImageInfo, error: BaseException
) -> None:
    with pytest.raises(type(error)), engine.export(layered.id) as chunks:
        next(chunks)
        raise error
    assert containers_of(engine, layered) == []


def test_an_export_of_nothing_names_it(engine: DockerEngine) -> None:
    with (
        pytest.raises(ImageError, match="there is no image kit-test/never:built"),
        engine.export("kit-test/never:built"),
    ):
        pass


def test_images_are_saved_with_common_layers_once_and_load_as_the_same(
    workshop: Workshop, layered: ImageInfo, tmp_path: Path
) -> None:
    engine = workshop.engine
    upper = workshop.build("upper", f"FROM {layered.id}\nRUN echo more > /tmp/more\n")
    assert upper.layers[: len(layered.layers)] == layered.layers
    assert len(upper.layers) == len(layered.layers) + 1
    path = tmp_path / "both.tar"
    with path.open("wb") as archive:
        engine.save([layered.tags[0], upper.tags[0]], archive)
    assert path.stat().st_size < layered.size_bytes + upper.size_bytes
    workshop.clear()
    assert engine.find_image(upper.id) is engine.find_image(layered.id) is None
    loaded = engine.load(path)
    assert {image.id for image in loaded} == {layered.id, upper.id}
    assert {image.tags for image in loaded} == {layered.tags, upper.tags}
    assert {image.layers for image in loaded} == {layered.layers, upper.layers}


def test_what_is_not_there_is_not_saved(engine: DockerEngine) -> None:
    archive = io.BytesIO()
    with pytest.raises(ImageError, match="kit-test/never:built"):
        engine.save(["kit-test/never:built"], archive)
    assert archive.getvalue() == b""


def test_a_build_without_cache_does_every_step_anew(workshop: Workshop, tiny_image: str) -> None:
    text = f"FROM {tiny_image}\nRUN echo said-{workshop.word}\n"
    first = workshop.build("cached", text)
    lines: list[str] = []
    assert workshop.build("cached", text, lines=lines).id == first.id
    assert f"said-{workshop.word}" not in lines
    again = workshop.build("cached-not", text, cache=False, lines=lines)
    assert again.id != first.id
    assert f"said-{workshop.word}" in lines


def test_facts_on_an_image(layered: ImageInfo, engine: DockerEngine, tiny_image: str) -> None:
    base = engine.find_image(tiny_image)
    assert base is not None and len(base.layers) == 1
    assert layered.layers[0] == base.layers[0] and len(layered.layers) == 3
    assert all(layer.startswith("sha256:") for layer in layered.layers)
    assert layered.architecture in {"amd64", "arm64"}


def test_a_named_volume_is_kept_between_runs(engine: DockerEngine, tiny_image: str) -> None:
    name = f"kit-test-{uuid.uuid4().hex}"

    def run(script: str) -> str:
        request = RunRequest(
            tiny_image,
            ("sh", "-c", script),
            # The image's own /tmp is open to all, and a new volume takes that over.
            tmpfs={},
            volumes={name: "/tmp"},
            labels={SESSION_LABEL: name},
        )
        outcome = engine.run(request)
        assert outcome.exit_code == 0, outcome.logs
        return outcome.logs

    try:
        run("echo compiled > /tmp/kernel; echo 1 > /results/x")
        volume = engine._link.client.inspect_volume(name)
        assert volume["Labels"] == {LABEL: "kit"}
        assert run("cat /tmp/kernel") == "compiled\n"
        filters = {"label": f"{SESSION_LABEL}={name}"}
        assert not engine._link.client.volumes(filters=filters)["Volumes"]
        assert name in all_volumes(engine)
    finally:
        engine._link.client.remove_volume(name, force=True)


def test_a_gpu_that_the_engine_cannot_give_is_refused(
    engine: DockerEngine, tiny_image: str
) -> None:
    if not engine._link.quirks.gpu_drivers:
        pytest.skip(f"{engine.info().name} gives no answer to a GPU request")
    mark = uuid.uuid4().hex
    request = RunRequest(tiny_image, ("true",), gpu="all", labels={SESSION_LABEL: mark})
    if "nvidia" in engine.info().runtimes:
        pytest.skip("this engine has the NVIDIA container toolkit")
    with pytest.raises(RunError, match="could not select device driver") as caught:
        engine.run(request)
    assert "\n" not in caught.value.problem and tiny_image in caught.value.problem
    filters = {"label": f"{SESSION_LABEL}={mark}"}
    client = engine._link.client
    assert client.containers(all=True, quiet=True, filters=filters) == []
    assert not client.volumes(filters=filters)["Volumes"]
