"""Listing and removing over a made-up client: forms of an id, refusals, removals by others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import docker.errors
import pytest
import requests

from kit.engine import listing as inventory
from kit.engine.connection import Connection
from kit.engine.objects import ContainerEntry, ImageEntry, Removed, Step, VolumeEntry
from kit.errors import HostError, InUseError

LABELS = {"org.kit.owner": "kit"}
IMAGE = {
    "Id": "sha256:a",
    "Parent": "b",
    "RepoTags": ["kit/x:1"],
    "RepoDigests": ["kit/x@sha256:c"],
    "Config": {"Labels": LABELS},
    "RootFS": {"Layers": ["1"]},
    "Size": 5,
}


def api_error(status: int, text: str) -> docker.errors.APIError:
    response = requests.Response()
    response.status_code = status
    kind = docker.errors.NotFound if status == 404 else docker.errors.APIError
    return kind(text, response=response, explanation=text)


class Client:
    """Answers well, unless ``errors`` holds what a call raises, in turn."""

    def __init__(self, **errors: list[Exception]) -> None:
        self.errors = errors
        self.removed: list[tuple[str, dict[str, object]]] = []
        self.image: Mapping[str, Any] = IMAGE

    def _maybe_fail(self, name: str) -> None:
        if self.errors.get(name):
            raise self.errors[name].pop(0)

    def containers(self, **_: Any) -> Any:
        mounts = [{"Type": "volume", "Name": "v"}, {"Type": "bind", "Source": "/x"}]
        return [
            {"Id": "1", "Names": ["/n"], "ImageID": "a", "SizeRw": 3, "State": "running",
             "Labels": LABELS, "Mounts": mounts},
            {"Id": "2", "Names": None, "ImageID": "sha256:a", "State": "exited"},
        ]  # fmt: skip

    def volumes(self, **_: Any) -> Any:
        return {"Volumes": [{"Name": "v", "Labels": LABELS}, {"Name": "w", "Labels": None}]}

    def df(self) -> Any:
        self._maybe_fail("df")
        known = {"Name": "v", "UsageData": {"Size": 4}}
        return {"Volumes": [known, {"Name": "w", "UsageData": {"Size": -1}}]}

    def images(self, **_: Any) -> Any:
        return [{"Id": "sha256:a"}, {"Id": "sha256:a"}]

    def inspect_image(self, image_id: str) -> Any:
        self._maybe_fail("inspect_image")
        return self.image

    def history(self, image_id: str) -> Any:
        return [{"CreatedBy": "last", "Size": 2}, {"CreatedBy": None, "Size": 3}]

    def remove_image(self, name: str, **options: Any) -> None:
        self._maybe_fail("remove_image")
        self.removed.append((name, options))

    def remove_container(self, name: str, **options: Any) -> None:
        self._maybe_fail("remove_container")
        self.removed.append((name, options))

    def remove_volume(self, name: str) -> None:
        self._maybe_fail("remove_volume")
        self.removed.append((name, {}))


def objects(client: Client) -> inventory.EngineObjects:
    return inventory.objects(connection(client), "org.kit.owner", "kit")


def connection(client: Client) -> Connection:
    return Connection(lambda: client, "unix:///x")  # type: ignore[arg-type]


HELD = ImageEntry("sha256:a", ("kit/x:1", "kit/x@sha256:c"), LABELS, "sha256:b", ("1",), 5)


def test_what_is_held() -> None:
    found = objects(Client())
    assert found.containers == (
        ContainerEntry("1", "n", "sha256:a", LABELS, ("v",), 3, True),
        ContainerEntry("2", "2", "sha256:a", {}, (), 0, False),
    )
    assert found.volumes == (VolumeEntry("v", LABELS, 4), VolumeEntry("w", {}, 0))
    (image,) = found.images
    assert image.steps == (Step("", 3), Step("last", 2)), "oldest first"
    assert (image.id, image.parent, image.names) == (HELD.id, HELD.parent, HELD.names)


def test_an_image_without_the_label_has_no_history_read() -> None:
    client = Client()
    client.image = {"Id": "sha256:a", "Config": None}
    (image,) = objects(client).images
    assert (image.steps, image.parent, image.names) == ((), "", ())


def test_an_image_that_went_meanwhile_is_left_out() -> None:
    assert objects(Client(inspect_image=[api_error(404, "no such image")])).images == ()


def test_disk_usage_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "_USAGE_PAUSE_S", 0.0)
    busy = "a disk usage operation is already running"
    assert objects(Client(df=[api_error(500, busy)] * 3)).volumes[0].size_bytes == 4
    monkeypatch.setattr(inventory, "_USAGE_TRIES", 2)
    with pytest.raises(HostError, match=busy):
        objects(Client(df=[api_error(500, busy) for _ in range(3)]))
    other = Client(df=[api_error(500, "something else")])
    with pytest.raises(HostError, match="something else"):
        objects(other)


def test_an_image_goes_without_force_and_without_its_parents() -> None:
    client = Client()
    inventory.remove_object(connection(client), HELD)
    assert client.removed == [("sha256:a", {"noprune": True})]


def test_further_names_go_first() -> None:
    client = Client()
    two = ImageEntry("sha256:a", ("kit/x:1", "kit/y:1", "kit/x@sha256:c"), {}, "", (), 0)
    inventory.remove_object(connection(client), two)
    assert [name for name, _ in client.removed] == ["kit/y:1", "sha256:a"]


@pytest.mark.parametrize(
    ("held", "call"), [(HELD, "remove_image"), (VolumeEntry("v", {}, 0), "remove_volume")]
)
def test_refusals(held: ImageEntry | VolumeEntry, call: str) -> None:
    with pytest.raises(InUseError, match="in use by 1"):
        inventory.remove_object(
            connection(Client(**{call: [api_error(409, "in use by\n1")]})), held
        )
    inventory.remove_object(connection(Client(**{call: [api_error(404, "no such thing")]})), held)
    with pytest.raises(HostError, match="broken") as caught:
        inventory.remove_object(connection(Client(**{call: [api_error(500, "broken")]})), held)
    assert not isinstance(caught.value, InUseError)


def test_only_containers_that_the_kit_named_go_by_label(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "_VOLUME_PAUSE_S", 0.0)
    client = Client(remove_volume=[api_error(409, "in use")] * 3 + [api_error(404, "gone")])
    listed = client.containers()
    own = {**listed[0], "Id": "3", "Names": ["/kit-0123456789abcdef"]}
    client.containers = lambda **_: [*listed, own]  # type: ignore[method-assign]
    found = inventory.remove_by_label(connection(client), "org.kit.lock", "0123")
    assert found == Removed(1, 1), "a volume that is in use a moment longer is waited for"
    assert client.removed == [("3", {"v": True, "force": True}), ("w", {})]


def test_a_volume_that_stays_in_use_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "_VOLUME_PAUSE_S", 0.0)
    client = Client(remove_volume=[api_error(409, "in use") for _ in range(99)])
    assert inventory.remove_by_label(connection(client), "a", "b") == Removed()
    broken = Client(remove_volume=[api_error(500, "broken")])
    with pytest.raises(HostError, match="broken"):
        inventory.remove_by_label(connection(broken), "a", "b")
