"""``kit verify-image``: images here against the digests of a session."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes.engine import FakeEngine, image
from support.archives import member, tree
from support.sessions import make_session, paired

import kit.cli
from kit.images.inspect.content import read_content
from kit.plan.make import plan_sha256
from kit.records.session import Header
from kit.results.runlog import RunLog

NAMES = ("kit/python-cpu:abc", "kit/dotnet-cpu:abc")
OTHER = "other:1"


def header() -> Header:
    """A session's, without digests."""
    made = make_session(paired([1.0, 1.1])).header
    return replace(made, plan_sha256=plan_sha256(made.plan))


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """An engine with both images of the session, and another one."""
    images = {name: image(name) for name in (*NAMES, OTHER)}
    trees = {found.id: tree(member("name", name.encode())) for name, found in images.items()}
    there = FakeEngine(images=images, trees=trees)
    monkeypatch.setattr("kit.engine.discover.discover", lambda: there)
    return there


@pytest.fixture
def folder(tmp_path: Path, engine: FakeEngine) -> Path:
    """The session's; it recorded the ids and the content of both images."""
    recording = header()
    images = {
        arm: replace(
            recorded,
            image_id=engine.images[recorded.reference].id,
            content_sha256=read_content(engine, recorded.reference).sha256,
        )
        for arm, recorded in recording.images.items()
    }
    RunLog.create(tmp_path, replace(recording, images=images))
    return tmp_path


def test_the_recorded_images_are_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str], engine: FakeEngine
) -> None:
    assert kit.cli.run(["verify-image", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["dotnet-cpu", "python-cpu"]
    assert all("same content" in line for line in lines)


def test_a_recorded_arm_gives_the_terminal_no_commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], engine: FakeEngine
) -> None:
    recorded = replace(
        header().images["python-cpu"],
        arm="\x1b]0;x\x07arm",
        image_id=engine.images[NAMES[0]].id,
        content_sha256=read_content(engine, NAMES[0]).sha256,
    )
    RunLog.create(tmp_path, replace(header(), images={recorded.arm: recorded}))
    assert kit.cli.run(["verify-image", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("arm: ")


def test_an_image_that_is_here_by_its_name_alone_is_compared(
    folder: Path, capsys: pytest.CaptureFixture[str], engine: FakeEngine
) -> None:
    again = replace(image("again"), tags=(NAMES[0],))
    engine.trees[again.id] = tree(member("name", b"changed"))
    engine.images[NAMES[0]] = again
    assert kit.cli.run(["verify-image", str(folder)]) == 4
    out, err = capsys.readouterr()
    second, first = out.splitlines()
    assert first.startswith(f"python-cpu: {NAMES[0]}: DIFFERENT content")
    assert "same content" in second
    assert "python-cpu has" in err and "dotnet-cpu has" not in err


def test_another_image_is_compared_in_an_arms_place(folder: Path) -> None:
    arm = ["verify-image", str(folder), "--arm", "python-cpu", "--image"]
    assert kit.cli.run([*arm, NAMES[0]]) == 0
    assert kit.cli.run([*arm, OTHER]) == 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--image", OTHER], "--image"),
        (["--arm", "java-cpu"], "--arm"),
    ],
)
def test_what_names_no_image_is_refused_before_an_engine_is_looked_for(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    said: str,
) -> None:
    monkeypatch.setattr("kit.engine.discover.discover", lambda: pytest.fail("an engine"))
    assert kit.cli.run(["verify-image", str(folder), *options]) == 2
    assert said in capsys.readouterr().err


def test_a_log_without_digests_compares_nothing(
    tmp_path: Path, engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    RunLog.create(tmp_path, header())
    assert kit.cli.run(["verify-image", str(tmp_path)]) == 2
    assert "no content digest" in capsys.readouterr().err
