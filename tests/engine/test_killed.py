"""Real sessions killed at random moments: after resuming they are complete, nothing is left."""

from __future__ import annotations

import random
import signal
import subprocess
from pathlib import Path

import pytest
from killing import killed_session, kit, remains
from test_interrupt import Command, folder_in, running_volumes, started  # noqa: F401

from kit.engine.docker import DockerEngine
from kit.engine.protocol import LABEL, LOCK_LABEL, SESSION_LABEL
from kit.errors import EXIT_INTERRUPTED
from kit.host.locks import lock_namespace_id

pytestmark = [pytest.mark.engine, pytest.mark.machine, pytest.mark.timeout(1800)]
KILLED = 2
SPAN_S = 10.0


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, engine: DockerEngine) -> Path:
    folder = tmp_path_factory.mktemp("killed") / "squares"
    subprocess.run(kit("new-study", str(folder)), check=True, capture_output=True)
    return folder


def started_on(study: Path, out: Path) -> Command:
    return Command(
        "reproduce", "--study", str(study), "--out", str(out), "--allow-busy-host", "--blocks", "1"
    )


@pytest.mark.parametrize("seed", range(KILLED))
def test_a_session_killed_at_any_moment_is_complete_after_resuming(
    engine: DockerEngine, study: Path, tmp_path: Path, seed: int
) -> None:
    found = killed_session(engine, study, tmp_path, random.Random(seed), SPAN_S)
    print(found)
    assert (found.lost, found.doubled, found.left) == (0, 0, 0), found.said
    assert found.complete and found.verified, found.said


def test_the_next_start_removes_what_a_killed_one_left_and_nothing_else(
    engine: DockerEngine,
    study: Path,
    tmp_path: Path,
    tiny_image: str,
    started: list[Command],  # noqa: F811
) -> None:
    killed = started_on(study, tmp_path / "a")
    started.append(killed)
    killed.wait_for("runs: identity")
    volumes = running_volumes(engine, folder_in(tmp_path / "a").name)
    killed.process.kill()
    killed.process.wait()
    assert len(remains(engine)) >= 2

    client = engine._link.client
    # Of another machine's kit, and one that only inherited the labels of a container.
    labels = {LABEL: "kit", SESSION_LABEL: "other", LOCK_LABEL: "another"}
    others = [
        ("kit-0123456789abcdef", labels),
        ("mine", {**labels, LOCK_LABEL: lock_namespace_id()}),
    ]
    for name, its in others:
        client.create_container_from_config(
            {"Image": tiny_image, "Cmd": ["/bin/true"], "Labels": its}, name
        )
    try:
        following = started_on(study, tmp_path / "b")
        started.append(following)
        assert "container" in following.wait_for("removed ")
        following.wait_for("runs: identity")
        names = {c["Names"][0].lstrip("/") for c in client.containers(all=True)}
        assert {name for name, _ in others} <= names
        assert not volumes & {v["Name"] for v in client.volumes().get("Volumes") or ()}
        code, _ = following.stop(signal.SIGTERM)
        assert code == EXIT_INTERRUPTED
    finally:
        for name, _ in others:
            client.remove_container(name, force=True)
    assert remains(engine) == []


def test_another_signal_ends_it_as_ctrl_c_does(
    engine: DockerEngine,
    study: Path,
    tmp_path: Path,
    started: list[Command],  # noqa: F811
) -> None:
    command = started_on(study, tmp_path)
    started.append(command)
    command.wait_for("runs: identity")
    running_volumes(engine, folder_in(tmp_path).name)
    code, seconds = command.stop(signal.SIGQUIT)
    assert (code, seconds < 10) == (EXIT_INTERRUPTED, True)
    assert remains(engine) == []
    resume = kit("reproduce", "--resume", str(folder_in(tmp_path)), "--allow-busy-host", "--quiet")
    assert subprocess.run(resume, check=False, capture_output=True).returncode == 0
