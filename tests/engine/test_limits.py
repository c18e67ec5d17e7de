"""A CPU quota set from outside on one arm's containers, for real: nothing passes unnoticed."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker.errors
import pytest
from support.commands import Command, folder_in

from kit.engine.docker import DockerEngine
from kit.engine.protocol import SESSION_LABEL
from kit.results.runlog import read_session
from kit.study.load import write_new_study

# On a machine that has nothing from before, the Python base is made first.
pytestmark = [pytest.mark.engine, pytest.mark.machine, pytest.mark.timeout(1200)]
QUOTA_US = 20_000
ARM = "loop-cpu"
BUSY = """
import time
def work(workload, summed=work):
    end = time.process_time() + 0.4
    while time.process_time() < end:
        pass
    return summed(workload)
record.main(work)
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """The template's study, its slower arm busy for long enough to be caught running."""
    folder = tmp_path / "limited"
    write_new_study(folder)
    program = folder / "arms" / "loop" / "program.py"
    program.write_text(program.read_text().replace("record.main(work)\n", BUSY))
    return folder


def limiting(engine: DockerEngine, session: str, after: Callable[[Any, str], None]) -> set[str]:
    """Limit each running container of the arm that was not limited before; their ids."""
    client = engine._link.client
    limited = set()
    for found in client.containers(filters={"label": f"{SESSION_LABEL}={session}"}):
        name = found["Id"]
        with suppress(docker.errors.APIError):  # it has just ended
            environment = client.inspect_container(name)["Config"]["Env"]
            if any(f'"arm": "{ARM}"' in each for each in environment):
                after(client, name)
                limited.add(name)
    return limited


def watched(engine: DockerEngine, command: Command, session: str, lift: bool) -> None:
    """Limit the arm's containers until the command ends, and lift that again before theirs."""
    seen: set[str] = set()

    def limit(client: Any, name: str) -> None:
        if name in seen:
            return
        client.update_container(name, cpu_quota=QUOTA_US)
        if lift:
            time.sleep(1)
            client.update_container(name, cpu_quota=-1)

    while command.process.poll() is None:
        seen |= limiting(engine, session, limit)
        time.sleep(0.05)


def reproduce(study: Path, out: Path, engine: DockerEngine, lift: bool) -> tuple[Command, Path]:
    command = Command("reproduce", "--study", str(study), "--out", str(out), "--allow-busy-host")
    try:
        command.wait_for("runs: identity")
        folder = folder_in(out)
        watched(engine, command, folder.name, lift)
    except BaseException:
        command.process.kill()
        raise
    with suppress(subprocess.TimeoutExpired):
        command.process.wait(60)
    return command, folder


def test_a_limit_that_stays_fails_the_run_and_is_named(
    study: Path, tmp_path: Path, engine: DockerEngine
) -> None:
    command, folder = reproduce(study, tmp_path / "out", engine, lift=False)
    assert command.process.returncode == 5
    failures = [entry.failure for entry in read_session(folder).entries if entry.arm == ARM]
    assert failures and all(f"CpuQuota from none to {QUOTA_US}" in str(f) for f in failures)


def test_a_limit_that_was_lifted_is_seen_by_what_it_held_back(
    study: Path, tmp_path: Path, engine: DockerEngine
) -> None:
    command, folder = reproduce(study, tmp_path / "out", engine, lift=True)
    assert command.process.returncode == 0
    runs = [entry for entry in read_session(folder).timed() if entry.record is not None]
    held = {arm: [e.record.cgroup for e in runs if e.arm == arm] for arm in (ARM, "builtin-cpu")}
    assert all(cgroup.throttled_us > 0 and cgroup.quota_us is None for cgroup in held[ARM])
    assert all(cgroup.throttled_us == 0 for cgroup in held["builtin-cpu"])
    results = json.loads((folder / "results.json").read_text())
    assert {v["word"] for v in results["variants"][0]["verdicts"]} == {"INCONCLUSIVE"}
    flagged = {flag["run_id"] for flag in results["flags"] if "throttled" in flag["what"]}
    assert flagged == {entry.run_id for entry in runs if entry.arm == ARM}
