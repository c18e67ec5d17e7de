"""What kit clean takes and what it leaves, decided on made-up stores; the command itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from fakes.engine import FakeEngine
from support.processes import Process, hold

import kit.cli
import kit.cli.runtime
from kit.app.clean import (
    Living,
    RemovalPlan,
    plan_removal,
    reclaimable_bytes,
    remove_planned,
    title,
)
from kit.engine.objects import (
    ContainerEntry,
    EngineObject,
    EngineObjects,
    ImageEntry,
    Step,
    VolumeEntry,
)
from kit.engine.protocol import LABEL, LOCK_LABEL
from kit.errors import HostError, InUseError
from kit.host import locks

OURS = {LABEL: "kit"}
NOP = "/bin/sh -c #(nop) "
BASE = Step("debian", 100)
START = Step(f"{NOP} LABEL org.kit.owner=kit", 0)
END = (START, Step(f"{NOP} LABEL org.kit.recipe=abc", 0))
OWN_NAME = "kit-0123456789abcdef"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine's lock of this test is here: no kit outside it holds it."""
    monkeypatch.setattr(locks, "DIRECTORIES", (tmp_path,))
    return tmp_path


def run(word: str, size: int) -> Step:
    return Step(f"/bin/sh -c {word}", size)


def image(
    name: str, steps: Sequence[Step], parent: str = "", *, unnamed: bool = False, **changes: object
) -> ImageEntry:
    """Its layers follow from the steps that have a size, so that equal steps share them."""
    layers: list[str] = []
    for step in steps:
        if step.size_bytes:
            layers.append(f"{layers[-1] if layers else ''}/{step.text}")
    fields = {
        "id": name,
        "names": () if unnamed else (f"{name}:1",),
        "labels": OURS,
        "parent": parent,
        "layers": tuple(layers),
        "size_bytes": sum(step.size_bytes for step in steps),
        "steps": tuple(steps),
    }
    return ImageEntry(**{**fields, **changes})  # type: ignore[arg-type]


def container(name: str, image_id: str = "", **changes: object) -> ContainerEntry:
    fields = {"labels": OURS, "volumes": (), "size_bytes": 7, "running": False}
    return ContainerEntry(**{"id": name, "name": name, "image_id": image_id, **fields, **changes})  # type: ignore[arg-type]


IMPORTED = image("kit/rootfs", [Step("", 50)])
DEBIAN = image("debian", [BASE], labels={})
PYTHON_STEPS = (BASE, START, run("install", 20), *END)
MIDDLE = image("middle", PYTHON_STEPS[:3], "debian", unnamed=True)
PYTHON = image("kit/python", PYTHON_STEPS, "middle")
DOTNET_STEPS = (*PYTHON_STEPS, START, run("publish", 3), *END)
DOTNET_MIDDLE = image("upper", DOTNET_STEPS[:7], "kit/python", unnamed=True)
DOTNET = image("kit/dotnet", DOTNET_STEPS, "upper")
KIT = (PYTHON, DOTNET, DEBIAN, MIDDLE, DOTNET_MIDDLE)


def taken(*images: ImageEntry, **others: tuple[EngineObject, ...]) -> list[str]:
    return [title(held).split()[1] for held in plan(*images, **others).remove]


def plan(*images: ImageEntry, **others: tuple[EngineObject, ...]) -> RemovalPlan:
    return plan_removal(EngineObjects(images=images, **others))  # type: ignore[arg-type]


def why(found: RemovalPlan, name: str) -> str:
    (reason,) = [entry.why for entry in found.kept if name in title(entry.held)]
    return reason


def test_images_go_with_their_steps_children_first() -> None:
    found = plan(*KIT)
    assert [held.id for held in found.remove if isinstance(held, ImageEntry)] == [
        "kit/dotnet", "upper", "kit/python", "middle",
    ]  # fmt: skip
    assert found.kept == ()
    assert found.freed_bytes == 20 + 3, "a layer in common counts once, the base's stays"


def test_podman_s_words_for_a_label_are_known() -> None:
    end = [
        Step(f'{NOP}LABEL "org.kit.owner"="kit"', 0),
        Step(f'{NOP}LABEL "org.kit.recipe"="abc"', 0),
    ]
    base = image("docker.io/kit/base", (BASE, *end))
    mine = image("mine", (*base.steps, run("my work", 5)), base.id, unnamed=True)
    assert taken(base) == ["docker.io/kit/base:1"]
    assert taken(base, mine) == []


def test_an_owner_s_name_is_not_the_begin_of_another_s() -> None:
    steps = (BASE, Step(f"{NOP} LABEL org.kit.owner=kitchen", 0), run("x", 1))
    assert taken(image("x", steps, unnamed=True)) == []


def test_an_unnamed_step_of_an_unfinished_or_foreign_stage_goes_too() -> None:
    builder = image("stage", (BASE, START, run("fetch", 9)), "debian", unnamed=True)
    assert taken(DEBIAN, builder) == ["stage"]


def test_an_imported_file_system_goes() -> None:
    assert plan(IMPORTED).freed_bytes == 50


def test_nothing_without_the_label_goes() -> None:
    other = image("kit/other", [BASE, run("x", 1)], labels={LABEL: "somebody"})
    assert plan(DEBIAN, other) == RemovalPlan((), (), 0)


@pytest.mark.parametrize("unnamed", [True, False])
def test_a_foreign_image_on_one_of_the_kit_s_stays_and_what_it_rests_on_too(
    unnamed: bool,
) -> None:
    mine = image("mine", (*PYTHON_STEPS, run("my work", 5)), "kit/python", unnamed=unnamed)
    found = plan(*KIT, mine)
    assert taken(*KIT, mine) == ["kit/dotnet:1", "upper"]
    assert found.freed_bytes == 3
    assert ("history" if unnamed else "its name mine:1") in why(found, "mine")
    assert why(found, "kit/python") == f"image {'mine' if unnamed else 'mine:1'} is built on it"
    assert why(found, "image middle") == "an image that stays is built on it"


def test_a_foreign_image_with_a_name_like_the_kit_s_stays() -> None:
    mine = image("kit/mine", (*PYTHON_STEPS, run("my work", 5)), "kit/python")
    assert "history" in why(plan(*KIT, mine), "kit/mine")


def test_a_foreign_image_on_an_imported_one_stays() -> None:
    mine = image("m", (Step("", 50), run("my work", 5)), "kit/rootfs", unnamed=True)
    assert taken(IMPORTED, mine) == []


def test_a_further_name_keeps_an_image() -> None:
    named = image("kit/python", PYTHON_STEPS, "middle", names=("kit/python:1", "mine/copy:1"))
    found = plan(DEBIAN, MIDDLE, named)
    assert found.remove == () and "mine/copy:1" in why(found, "kit/python")
    podman = image("p", PYTHON_STEPS, names=("localhost/kit/python:1", "docker.io/kit/python:1"))
    assert plan(podman).kept == ()


def test_a_foreign_image_that_only_shares_layers_keeps_the_layers_alone() -> None:
    loaded = image("mine", (*PYTHON_STEPS, run("my work", 5)), "")
    found = plan(*KIT, loaded)
    assert len(found.remove) == 4
    assert found.freed_bytes == 3


def test_unlabelled_steps_below_one_of_the_kit_s_are_not_its() -> None:
    unlabelled = image("arg", [BASE], "debian", unnamed=True, labels={})
    middle = image("middle", PYTHON_STEPS[:3], "arg", unnamed=True)
    assert taken(DEBIAN, unlabelled, middle, PYTHON) == ["kit/python:1", "middle"]


def test_steps_of_an_older_kit_go_with_the_image_that_rests_on_them() -> None:
    """Its stages inherited the label from the base, and did not set it anew."""
    base = image("kit/base", (BASE, START, *END), "")
    step = image("step", (*base.steps, run("a", 4)), "kit/base", unnamed=True)
    top = image("kit/top", (*step.steps, *END), "step")
    assert taken(base, step, top) == ["kit/top:1", "step", "kit/base:1"]
    assert "history" in why(plan(base, step), "step")


def test_an_image_in_use_by_a_foreign_container_stays() -> None:
    stranger = container("frosty", "kit/python", labels={})
    found = plan(*KIT, containers=(stranger,))
    assert why(found, "kit/python") == "container frosty uses it"
    assert [title(held) for held in found.remove] == ["image kit/dotnet:1", "image upper"]


def test_the_kit_s_containers_go_running_ones_too_and_do_not_hold_images() -> None:
    ours = container(OWN_NAME, "kit/dotnet", running=True, volumes=("results",))
    found = plan(*KIT, containers=(ours,))
    assert found.remove[0] == ours and len(found.remove) == 5
    assert found.freed_bytes == 7 + 23


def test_what_a_living_session_made_stays_and_every_image() -> None:
    def of(lock: str, number: int) -> tuple[ContainerEntry, VolumeEntry]:
        labels = {**OURS, LOCK_LABEL: lock}
        name = f"kit-{number:016x}"
        return (
            container(name, "kit/dotnet", labels=labels, running=True, volumes=(lock,)),
            VolumeEntry(lock, labels, 23),
        )

    living, dead, loose = (
        of("here", 1),
        of("elsewhere", 2),
        VolumeEntry("v", of("here", 3)[1].labels, 5),
    )
    holdings = EngineObjects((living[0], dead[0]), (living[1], dead[1], loose), KIT)
    found = plan_removal(holdings, living=Living("here", "process 7 (`kit reproduce`)"))
    assert found.remove == dead and found.freed_bytes == 30
    assert {title(entry.held) for entry in found.kept} == {
        f"container {living[0].name}", "volume here", "volume v",
        "image kit/python:1", "image kit/dotnet:1", "image middle", "image upper",
    }  # fmt: skip
    assert "process 7" in why(found, living[0].name) and "process 7" in why(found, "volume v")
    assert plan_removal(holdings).remove[:4] == (living[0], dead[0], living[1], dead[1])


@pytest.mark.parametrize("name", ["frosty", "kit-1", f"my-{OWN_NAME}", f"{OWN_NAME}0"])
def test_a_container_that_somebody_started_of_a_kit_image_stays(name: str) -> None:
    theirs = container(name, "kit/python")
    found = plan(*KIT, containers=(theirs,))
    assert theirs not in found.remove
    assert "name" in why(found, f"container {name}")
    assert why(found, "kit/python") == f"container {name} uses it"


def test_volumes() -> None:
    cache, used = VolumeEntry("cache", OURS, 11), VolumeEntry("used", OURS, 13)
    other = VolumeEntry("other", {}, 17)
    stranger = container("frosty", labels={}, volumes=("used",))
    found = plan(containers=(stranger,), volumes=(cache, used, other))
    assert (found.remove, found.freed_bytes) == ((cache,), 11)
    assert why(found, "volume used") == "container frosty uses it"
    ours = container(OWN_NAME, volumes=("used",))
    assert plan(containers=(ours,), volumes=(used,)).remove == (ours, used)


def test_layers_without_content_do_not_shift_the_others() -> None:
    steps = (BASE, Step(f"{NOP} ENV A=b", 0), run("mkdir x", 0), run("work", 30), *END)
    ours = image("kit/x", steps, layers=("base", "mkdir", "work"))
    theirs = image("theirs", steps[:3], labels={}, layers=("base", "mkdir"))
    assert plan(ours, theirs).freed_bytes == 30
    workdir = (*steps[:2], Step(f"{NOP}WORKDIR /tmp", 0), *steps[2:])
    ours = image("kit/x", workdir, layers=("base", "mkdir", "work"))
    assert plan(ours, theirs).freed_bytes == 30
    unclear = image("kit/x", steps, layers=("base", "work"))
    assert plan(unclear).freed_bytes == 130


def test_what_came_into_use_stays_and_the_rest_goes() -> None:
    holdings = EngineObjects(images=KIT)
    made = plan_removal(holdings)
    in_use = InUseError("container late uses it", "")
    engine = FakeEngine(held=holdings, remove_errors={"kit/dotnet": in_use})
    heard: list[EngineObject] = []
    done = remove_planned(engine, holdings, made, heard.append)
    assert engine.named("discard") == list(made.remove)
    assert list(done.remove) == heard == list(made.remove)[1:]
    assert [(title(k.held), k.why) for k in done.kept] == [
        ("image kit/dotnet:1", "container late uses it")
    ]
    assert done.freed_bytes == reclaimable_bytes(holdings, heard) == 0, (
        "the layers are all in use still"
    )


@pytest.mark.parametrize("error", [KeyboardInterrupt(), HostError("gone", "")])
def test_a_stop_leaves_the_rest(error: Exception) -> None:
    holdings = EngineObjects(images=KIT)
    engine = FakeEngine(held=holdings, remove_errors={"upper": error})
    heard: list[EngineObject] = []
    with pytest.raises(type(error)):
        remove_planned(engine, holdings, plan_removal(holdings), heard.append)
    assert heard == [DOTNET] and len(engine.named("discard")) == 2


FULL = EngineObjects(
    containers=(container(OWN_NAME, running=True), container("frosty", "kit/rootfs")),
    volumes=(VolumeEntry("cache", OURS, 2_500_000),),
    images=(*KIT, IMPORTED),
)


def command(
    monkeypatch: pytest.MonkeyPatch, held: EngineObjects, *options: str
) -> tuple[FakeEngine, int]:
    engine = FakeEngine(held=held)
    monkeypatch.setattr("kit.engine.discover.discover", lambda: engine)
    return engine, kit.cli.run(["clean", *options])


KEPT = [
    "kept container frosty: its name is not one that the kit gives: the label may be its image's",
    "kept image kit/rootfs:1: container frosty uses it",
]
COUNTS = "1 container, 1 volume, 4 images (2 unnamed, the steps of builds)"


def test_a_dry_run_lists_and_removes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine, code = command(monkeypatch, FULL, "--dry-run")
    assert (code, engine.named("discard")) == (0, [])
    assert capsys.readouterr().out.splitlines() == [
        f"would remove container {OWN_NAME} (7 bytes, running)",
        "would remove volume cache (2.5 MB)",
        "would remove image kit/dotnet:1 (123 bytes)",
        "would remove image kit/python:1 (120 bytes)",
        *KEPT,
        f"would free 2.5 MB, layers in common counted once: {COUNTS}",
    ]


def test_cleaning_says_what_went(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine, code = command(monkeypatch, FULL)
    assert code == 0 and engine.named("holdings") == [(LABEL, "kit")]
    assert engine.named("discard") == list(plan_removal(FULL).remove)
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"removed container {OWN_NAME} (7 bytes, running)"
    assert out[-3:] == [*KEPT, f"freed 2.5 MB, layers in common counted once: {COUNTS}"]


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
@pytest.mark.slow
def test_a_running_session_is_left_alone_until_it_ends(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    place: Path,
    options: tuple[str, ...],
) -> None:
    labels = {**OURS, LOCK_LABEL: locks.lock_namespace_id()}
    held = EngineObjects((container(OWN_NAME, "kit/dotnet", labels=labels, running=True),), (), KIT)
    other = Process(hold, place, "hold")
    try:
        assert other.line() == "locked"
        engine, code = command(monkeypatch, held, *options)
        assert (code, engine.named("discard")) == (0, [])
        out = capsys.readouterr().out
        assert f"kept container {OWN_NAME}: process {other.pid} " in out
        assert "kept image kit/dotnet:1: " in out and "nothing to remove" in out
    finally:
        other.kill()
    engine, code = command(monkeypatch, held)
    assert code == 0 and engine.named("discard") == list(plan_removal(held).remove) != []


def test_no_session_begins_while_the_store_is_cleaned(monkeypatch: pytest.MonkeyPatch) -> None:
    refused: list[str] = []

    class Engine(FakeEngine):
        def remove_object(self, held: EngineObject) -> None:
            with pytest.raises(HostError) as caught:
                locks.Locks(wait=False, say=lambda _text: None).machine()
            refused.append(caught.value.problem)

    monkeypatch.setattr("kit.engine.discover.discover", lambda: Engine(held=FULL))
    assert kit.cli.run(["clean"]) == 0
    assert len(refused) == len(plan_removal(FULL).remove)
    free = locks.Locks(wait=False, say=lambda _text: None)
    free.machine()
    free.release()


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_nothing_to_remove(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    _, code = command(monkeypatch, EngineObjects(images=(DEBIAN,)), *options)
    assert (code, capsys.readouterr().out) == (0, "nothing to remove\n")


def test_unnamed_images_that_stay_are_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = [
        image(f"mine{n}", (*PYTHON_STEPS, run(f"{n}", 5)), "kit/python", unnamed=True)
        for n in range(3)
    ]
    command(monkeypatch, EngineObjects(images=(*KIT, *mine)), "--dry-run")
    out = capsys.readouterr().out
    assert "kept 3 unnamed images: the history shows no build by the kit" in out
    assert "kept 1 unnamed image: an image that stays is built on it" in out
