"""kit clean on a real engine, with things under an owner's label of the test's own.

The kit's own label is never used here: what other work on this engine made must stay.
"""

from __future__ import annotations

import secrets
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import rootfs

from kit.app.clean import RemovalPlan, plan_removal, remove_planned, title
from kit.engine.docker import DockerEngine
from kit.engine.objects import ContainerEntry, EngineObject, EngineObjects, ImageEntry, VolumeEntry
from kit.engine.protocol import LABEL
from kit.errors import InUseError
from kit.images.build.recipe import RECIPE_LABEL

pytestmark = pytest.mark.engine


class Owner:
    """Somebody like the kit, with a label value, names and things of their own."""

    def __init__(self, engine: DockerEngine) -> None:
        self.engine = engine
        self.client: Any = engine._link.client
        self.name = f"kit-test-{secrets.token_hex(6)}"
        self.labels = {LABEL: self.name}
        self.containers: list[str] = []
        self.volumes: list[str] = []
        self.tags: list[str] = []

    def build(self, tag: str, text: str, *, finished: bool = True) -> str:
        """An image built as the kit builds: the label in every stage, the recipe's last."""
        labels = {**self.labels, RECIPE_LABEL: "1"} if finished else {}
        events = self.client.build(
            fileobj=rootfs.context(text.replace("START", f"LABEL {LABEL}={self.name}")),
            custom_context=True,
            tag=tag or None,
            labels=labels,
            rm=True,
            decode=True,
        )
        built = ""
        for event in events:
            assert "error" not in event, event
            built = (event.get("aux") or {}).get("ID", built)
        if tag:
            self.tags.append(tag)
        return built

    def container(self, name: str, image: str, **options: Any) -> str:
        """A container that runs until it is removed."""
        made = self.client.create_container(image, ["sleep", "600"], name=name, **options)
        self.containers.append(made["Id"])
        self.client.start(made["Id"])
        return str(made["Id"])

    def volume(self, name: str) -> str:
        self.volumes.append(name)
        self.client.create_volume(name, labels=self.labels)
        return name

    def objects(self) -> EngineObjects:
        """What the engine holds and is this test's: others may work beside it."""
        everything = self.engine.objects(LABEL, self.name)
        labelled = [i for i in everything.images if i.labels.get(LABEL) == self.name]
        assert all(i.steps for i in labelled)
        assert not any(i.steps for i in everything.images if i not in labelled)
        return everything

    def plan(self) -> RemovalPlan:
        return plan_removal(self.objects(), self.name)

    def images(self) -> list[str]:
        filters = {"label": f"{LABEL}={self.name}"}
        return [i["Id"] for i in self.client.images(all=True, filters=filters)]

    def clear(self) -> None:
        for container in self.containers:
            self.engine.remove_object(ContainerEntry(container, "", "", {}, (), 0, False))
        for volume in self.volumes:
            self.engine.remove_object(VolumeEntry(volume, {}, 0))
        for tag in self.tags:
            self.engine.remove_image(tag)
        plan = plan_removal(self.engine.objects(LABEL, self.name), self.name)
        remove_planned(self.engine, EngineObjects(), plan, lambda _held: None)


@pytest.fixture
def owner(engine: DockerEngine) -> Iterator[Owner]:
    made = Owner(engine)
    yield made
    made.clear()


def titles(held: tuple[EngineObject, ...] | list[EngineObject]) -> list[str]:
    return [title(each) for each in held]


def why(plan: RemovalPlan, name: str) -> str:
    (reason,) = [kept.why for kept in plan.kept if name in title(kept.held)]
    return reason


BYTES = 300_000
FILL = "head -c {} /dev/zero > /tmp/{}"


def two_arms(owner: Owner, tiny: str) -> tuple[str, str]:
    """A lower image with a stage of its own, and an upper one on it; their tags."""
    lower, upper = f"{owner.name}/lower:1", f"{owner.name}/upper:1"
    owner.build(
        lower,
        f"FROM {tiny} AS stage\nSTART\nRUN {FILL.format(2 * BYTES, 'stage')}\n"
        f"FROM {tiny}\nSTART\nRUN {FILL.format(BYTES, 'lower')}\n"
        'COPY --from=stage /tmp/stage /tmp/copied\nCMD ["true"]\n',
    )
    owner.build(upper, f"FROM {lower}\nSTART\nRUN {FILL.format(4 * BYTES, 'upper')}\n")
    return lower, upper


def test_everything_of_the_owner_goes_and_the_bytes_are_right(
    owner: Owner, engine: DockerEngine, tiny_image: str
) -> None:
    lower, upper = two_arms(owner, tiny_image)
    container = owner.container(
        f"{owner.name}-{secrets.token_hex(8)}", upper, volumes=["/results"], labels=owner.labels
    )
    owner.client.exec_start(
        owner.client.exec_create(container, ["sh", "-c", FILL.format(5000, "written")])
    )
    inspected = owner.client.inspect_container(container)
    volume = owner.volume(f"{owner.name}-cache")
    holdings = owner.objects()
    plan = plan_removal(holdings, owner.name)
    assert plan.kept == ()
    named = [name for name in titles(plan.remove) if "/" in name or " image" not in f" {name}"]
    assert named == [
        f"container {inspected['Name'].lstrip('/')}",
        f"volume {volume}",
        f"image {upper}",
        f"image {lower}",
    ]
    # stage, lower, what it copies of the stage, upper; the base is not the owner's.
    assert plan.freed_bytes == (2 + 1 + 2 + 4) * BYTES + 5000
    assert len(owner.images()) > 5
    gone: list[EngineObject] = []
    done = remove_planned(engine, holdings, plan, gone.append)
    assert (done.freed_bytes, done.kept, tuple(gone)) == (plan.freed_bytes, (), plan.remove)
    assert owner.images() == []
    assert engine.find_image(tiny_image) is not None
    anonymous = {mount["Name"] for mount in inspected["Mounts"]}
    assert anonymous, "the container had a volume without a name"
    listed = {v["Name"] for v in owner.client.volumes()["Volumes"] or ()}
    assert not listed & {volume, *anonymous}
    again = owner.plan()
    assert (again.remove, again.kept, again.freed_bytes) == ((), (), 0)


def test_a_plan_removes_nothing(owner: Owner, tiny_image: str) -> None:
    two_arms(owner, tiny_image)
    before = sorted(owner.images())
    assert owner.plan().remove
    assert sorted(owner.images()) == before


@pytest.mark.parametrize("tag", ["", "kit-test/mine:{}"], ids=["unnamed", "named"])
def test_what_somebody_built_on_it_stays_and_works(
    owner: Owner, engine: DockerEngine, tiny_image: str, tag: str
) -> None:
    lower, upper = two_arms(owner, tiny_image)
    tag = tag.format(owner.name)
    mine = owner.build(tag, f"FROM {lower}\nRUN echo mine > /tmp/mine\n", finished=False)
    holdings = owner.objects()
    plan = plan_removal(holdings, owner.name)
    assert f"image {upper}" in titles(plan.remove)
    assert f"image {lower}" not in titles(plan.remove)
    short = tag or mine.removeprefix("sha256:")[:12]
    assert why(plan, f"image {lower}") == f"image {short} is built on it"
    assert why(plan, f"image {short}")
    # The upper image's layer and the stage go; lower's, and the copy in it, stay.
    assert plan.freed_bytes == (2 + 4) * BYTES
    done = remove_planned(engine, holdings, plan, lambda _held: None)
    assert done.remove == plan.remove
    assert engine.find_image(mine) is not None and engine.find_image(lower) is not None
    client: Any = engine._link.client
    probe = client.create_container(mine, ["cat", "/tmp/mine"])["Id"]
    owner.containers.append(probe)
    client.start(probe)
    assert client.wait(probe)["StatusCode"] == 0
    engine.remove_image(mine)


def test_a_container_and_a_volume_that_somebody_uses_stay(
    owner: Owner, engine: DockerEngine, tiny_image: str
) -> None:
    lower, upper = two_arms(owner, tiny_image)
    volume = owner.volume(f"{owner.name}-cache")
    host = owner.client.create_host_config(binds=[f"{volume}:/results"])
    name = f"somebody-{owner.name}"
    owner.container(name, upper, host_config=host)
    holdings = owner.objects()
    plan = plan_removal(holdings, owner.name)
    assert "name" in why(plan, f"container {name}"), "it has the image's label"
    assert why(plan, f"volume {volume}") == f"container {name} uses it"
    assert why(plan, f"image {upper}") == f"container {name} uses it"
    assert why(plan, f"image {lower}") == f"image {upper} is built on it"
    assert plan.freed_bytes == 2 * BYTES, "the stage alone"
    remove_planned(engine, holdings, plan, lambda _held: None)
    assert owner.client.inspect_container(name)["State"]["Running"]
    assert engine.find_image(lower) is not None


def test_what_is_in_use_is_not_discarded(
    owner: Owner, engine: DockerEngine, tiny_image: str
) -> None:
    """The engine's own refusals, for what comes into use after the plan was made."""
    lower, upper = two_arms(owner, tiny_image)
    volume = owner.volume(f"{owner.name}-cache")
    host = owner.client.create_host_config(binds=[f"{volume}:/results"])
    plan = owner.plan()
    late = owner.container(f"late-{owner.name}", upper, host_config=host)
    owner.client.stop(late, timeout=0)
    by_title = {title(held): held for held in plan.remove}
    for name in (f"volume {volume}", f"image {upper}", f"image {lower}"):
        with pytest.raises(InUseError) as caught:
            engine.remove_object(by_title[name])
        assert "\n" not in caught.value.problem
    done = remove_planned(engine, owner.objects(), plan, lambda _held: None)
    assert {f"volume {volume}", f"image {upper}", f"image {lower}"} <= {
        title(kept.held) for kept in done.kept
    }
    assert engine.find_image(upper) is not None and engine.find_image(lower) is not None


def test_what_is_gone_already_is_no_error(engine: DockerEngine) -> None:
    name = secrets.token_hex(32)
    engine.remove_object(ContainerEntry(name, name, "", {}, (), 0, False))
    engine.remove_object(VolumeEntry(name, {}, 0))
    engine.remove_object(ImageEntry(f"sha256:{name}", (), {}, "", (), 0))


def test_an_image_with_two_names_goes_whole(
    owner: Owner, engine: DockerEngine, tiny_image: str
) -> None:
    first, second = f"{owner.name}/one:1", f"{owner.name}/two:1"
    owner.build(first, f"FROM {tiny_image}\nSTART\nRUN {FILL.format(BYTES, 'x')}\n")
    engine.tag(first, second)
    holdings = owner.objects()
    done = remove_planned(engine, holdings, plan_removal(holdings, owner.name), lambda _held: None)
    assert (done.kept, done.freed_bytes, owner.images()) == ((), BYTES, [])


def test_an_imported_file_system_goes(owner: Owner, engine: DockerEngine, tmp_path: Path) -> None:
    reference = f"{owner.name}/rootfs:1"
    owner.tags.append(reference)
    change = f"LABEL {LABEL}={owner.name}"
    tar = rootfs.write(tmp_path / "r.tar")
    with tarfile.open(tar, "a") as archive:
        # Else it would be the very layer of the tiny image, which stays.
        archive.add(__file__, "etc/other")
    made = engine.import_rootfs(tar, reference, [change])
    plan = owner.plan()
    assert titles(plan.remove) == [f"image {reference}"]
    assert plan.freed_bytes == made.size_bytes
