"""The Docker engine for real: hardening, outcomes, clean-up, builds and pulls."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import rootfs

from kit.engine import container
from kit.engine.docker import DockerEngine
from kit.engine.objects import LimitChange, Removed
from kit.engine.protocol import LABEL, SESSION_LABEL, BuildRequest, RunOutcome, RunRequest
from kit.errors import HostError, ImageError, InputError, RunError, UnreachableError
from kit.together import together

pytestmark = pytest.mark.engine
DIGEST = "sha256:" + "0" * 64


@pytest.fixture
def mark() -> str:
    """A session label value that only this test's containers carry."""
    return uuid.uuid4().hex


def shell(
    engine: DockerEngine, image: str, script: str, timeout_s: float = 60, memory: int | None = None
) -> RunOutcome:
    return engine.run(
        RunRequest(image, ("sh", "-c", script), timeout_s=timeout_s, memory_bytes=memory)
    )


def left_behind(engine: DockerEngine, mark: str) -> list[str]:
    """Containers and volumes that carry the test's label."""
    client = engine._link.client
    filters = {"label": f"{SESSION_LABEL}={mark}"}
    found = [entry["Id"] for entry in client.containers(all=True, quiet=True, filters=filters)]
    volumes = client.volumes(filters=filters).get("Volumes") or ()
    return found + [volume["Name"] for volume in volumes]


def wait_for_running(engine: DockerEngine, mark: str, timeout_s: float = 30) -> None:
    end = time.monotonic() + timeout_s
    filters = {"label": f"{SESSION_LABEL}={mark}", "status": "running"}
    while time.monotonic() < end:
        if engine._link.client.containers(quiet=True, filters=filters):
            return
        time.sleep(0.05)
    raise AssertionError("the container never ran")


def test_info_names_the_engine(engine: DockerEngine) -> None:
    info = engine.info()
    assert info.version and info.api_version and info.endpoint == engine.endpoint
    assert info.cpus > 0 and info.memory_bytes > 2**20
    assert info.cgroup_version in {"1", "2"}


def test_success_brings_results_logs_and_times(engine: DockerEngine, tiny_image: str) -> None:
    outcome = shell(
        engine,
        tiny_image,
        "echo out; echo err >&2; mkdir /results/a; echo one > /results/a/b; "
        "ln -s /etc/passwd /results/link; printf '\\377\\n'",
    )
    assert outcome.exit_code == 0 and not outcome.timed_out and not outcome.oom_killed
    assert outcome.files == {"a/b": b"one\n"}
    assert "out\n" in outcome.logs and "err\n" in outcome.logs and "\ufffd" in outcome.logs
    assert outcome.started_at.startswith("2") and outcome.finished_at > outcome.started_at


def test_environment_and_default_command(engine: DockerEngine, tiny_image: str) -> None:
    assert engine.run(RunRequest(tiny_image)).exit_code == 0
    request = RunRequest(tiny_image, ("sh", "-c", 'echo "$WORD"'), env={"WORD": "a=b c"})
    assert engine.run(request).logs == "a=b c\n"


def test_failing_program_is_an_outcome(engine: DockerEngine, tiny_image: str) -> None:
    outcome = shell(engine, tiny_image, "echo 1 > /results/half; exit 7")
    assert outcome.exit_code == 7
    assert outcome.files == {"half": b"1\n"}


def test_timeout_kills_and_still_collects(engine: DockerEngine, tiny_image: str) -> None:
    start = time.monotonic()
    outcome = shell(engine, tiny_image, "echo begun > /results/x; echo said; sleep 60", timeout_s=1)
    assert outcome.timed_out and outcome.exit_code == 137
    assert outcome.files == {"x": b"begun\n"} and outcome.logs == "said\n"
    assert time.monotonic() - start < 15


def test_memory_limit_kills(engine: DockerEngine, tiny_image: str) -> None:
    outcome = shell(
        engine, tiny_image, "dd if=/dev/zero of=/dev/null bs=256M count=2", memory=32 * 2**20
    )
    assert outcome.oom_killed and outcome.exit_code == 137 and not outcome.timed_out


def test_a_limit_that_is_changed_meanwhile_is_told(
    engine: DockerEngine, tiny_image: str, mark: str
) -> None:
    """Whatever the engine makes of the request's own limits is no change."""
    request = RunRequest(
        tiny_image, ("sh", "-c", "sleep 3"), cpuset="0", memory_bytes=64 * 2**20,
        labels={SESSION_LABEL: mark},
    )  # fmt: skip
    assert engine.run(request).changed == ()

    def limit() -> None:
        wait_for_running(engine, mark)
        client = engine._link.client
        (found,) = client.containers(quiet=True, filters={"label": f"{SESSION_LABEL}={mark}"})
        client.update_container(found["Id"], cpu_quota=20000)

    outcomes: list[RunOutcome] = []
    together(lambda: outcomes.append(engine.run(request)), limit)
    (outcome,) = outcomes
    assert outcome.exit_code == 0
    assert outcome.changed == (LimitChange("CpuQuota", "none", "20000"),)


def test_container_is_hardened(engine: DockerEngine, tiny_image: str) -> None:
    outcome = shell(
        engine,
        tiny_image,
        "id; cat /proc/self/status /proc/net/dev; touch /tmp/fine && echo tmp writable; "
        "touch /new; touch /bin/new",
    )
    text = outcome.logs
    assert "uid=10001 gid=10001" in text
    status = dict(
        line.split(":", 1) for line in text.splitlines() if line.startswith(("Cap", "NoNew"))
    )
    assert {name: int(value, 16) for name, value in status.items()} == {
        "CapInh": 0,
        "CapPrm": 0,
        "CapEff": 0,
        "CapBnd": 0,
        "CapAmb": 0,
        "NoNewPrivs": 1,
    }
    table = text[text.index("Inter-|") :].splitlines()
    interfaces = [line.split(":")[0].strip() for line in table if ":  " in line]
    assert interfaces == ["lo"]
    assert text.count("Read-only file system") == 2
    assert "tmp writable" in text


def test_image_without_user_does_not_run_as_root(
    engine: DockerEngine, tiny_image: str, tmp_path: Path
) -> None:
    reference = f"kit-test/nouser:{uuid.uuid4().hex[:12]}"
    engine.import_rootfs(rootfs.write(tmp_path / "r.tar"), reference, [])
    try:
        outcome = engine.run(RunRequest(reference, ("sh", "-c", "id; echo 1 > /results/x")))
    finally:
        engine.remove_image(reference)
    assert "uid=10001 gid=10001" in outcome.logs and outcome.files == {"x": b"1\n"}


def test_cpuset_and_pids(engine: DockerEngine, tiny_image: str) -> None:
    request = RunRequest(tiny_image, ("cat", "/proc/self/status"), cpuset="0")
    assert "Cpus_allowed_list:\t0\n" in engine.run(request).logs
    # A cpuset takes away every CPU that is not in it; pids bounds a fork bomb.
    forks = ("sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done; wait")
    assert engine.run(RunRequest(tiny_image, forks, pids=6, timeout_s=20)).exit_code != 0


def test_long_logs_are_cut_at_the_front(engine: DockerEngine, tiny_image: str) -> None:
    outcome = shell(
        engine, tiny_image, "head -c 3000000 /dev/zero; echo; echo the end", timeout_s=60
    )
    assert outcome.logs.endswith("the end\n")
    assert len(outcome.logs) <= 256 * 2**10


def test_too_many_results_are_the_runs_own_failure(
    engine: DockerEngine, tiny_image: str, mark: str
) -> None:
    script = "dd if=/dev/zero of=/results/big bs=1M count=65"
    request = RunRequest(tiny_image, ("sh", "-c", script), labels={SESSION_LABEL: mark})
    outcome = engine.run(request)
    assert "64 MiB" in outcome.broken
    assert (outcome.exit_code, outcome.files) == (0, {})
    assert left_behind(engine, mark) == []


def test_what_cannot_start_is_a_run_error(engine: DockerEngine, tiny_image: str, mark: str) -> None:
    request = RunRequest(tiny_image, ("no-such-program",), labels={SESSION_LABEL: mark})
    # The init process starts well and reports what it could not start itself.
    outcome = engine.run(request)
    assert outcome.exit_code == 127 and "no-such-program" in outcome.logs
    with pytest.raises(RunError, match="could not be started") as caught:
        engine.run(replace(request, command=("true",), cpuset="4000"))
    assert "\n" not in caught.value.problem
    with pytest.raises(RunError, match="there is no image"):
        engine.run(replace(request, image="kit-test/never:built"))
    assert left_behind(engine, mark) == []


def test_nothing_is_left_after_a_run(engine: DockerEngine, tiny_image: str, mark: str) -> None:
    seen: list[list[str]] = []
    request = RunRequest(tiny_image, ("sleep", "3"), labels={SESSION_LABEL: mark})
    thread = threading.Thread(target=engine.run, args=(request,))
    thread.start()
    wait_for_running(engine, mark)
    seen.append(left_behind(engine, mark))
    thread.join()
    assert len(seen[0]) == 2, "a container and a labelled volume while it runs"
    assert left_behind(engine, mark) == []


def test_interrupt_while_waiting_leaves_nothing(
    engine: DockerEngine, tiny_image: str, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(container, "_wait", interrupted)
    request = RunRequest(tiny_image, ("sleep", "60"), labels={SESSION_LABEL: mark})
    with pytest.raises(KeyboardInterrupt):
        engine.run(request)
    assert left_behind(engine, mark) == []


PROGRAM = """
import sys
from kit.engine.discover import discover
from kit.engine.protocol import SESSION_LABEL, RunRequest
engine = discover()
try:
    engine.run(RunRequest(sys.argv[1], ("sleep", "60"), labels={SESSION_LABEL: sys.argv[2]}))
except KeyboardInterrupt:
    sys.exit(130)
"""


def started_program(image: str, mark: str) -> subprocess.Popen[bytes]:
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root}
    return subprocess.Popen([sys.executable, "-c", PROGRAM, image, mark], env=environment)


def test_ctrl_c_leaves_nothing(engine: DockerEngine, tiny_image: str, mark: str) -> None:
    process = started_program(tiny_image, mark)
    wait_for_running(engine, mark)
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 130
    assert time.monotonic() - start < 10
    assert left_behind(engine, mark) == []


@pytest.mark.parametrize("delay_s", [0.0, 0.02, 0.1])
def test_ctrl_c_before_it_runs_leaves_nothing(
    engine: DockerEngine, tiny_image: str, mark: str, delay_s: float
) -> None:
    """An interrupt at the creation of a container, whose id nobody knows yet."""
    thread = threading.Timer(delay_s, os.kill, (os.getpid(), signal.SIGINT))
    request = RunRequest(tiny_image, ("sleep", "60"), labels={SESSION_LABEL: mark})
    with pytest.raises(KeyboardInterrupt):
        thread.start()
        engine.run(request)
        time.sleep(1)
    assert left_behind(engine, mark) == []


def test_remove_by_label(engine: DockerEngine, tiny_image: str, mark: str) -> None:
    process = started_program(tiny_image, mark)
    wait_for_running(engine, mark)
    process.kill()
    process.wait()
    assert len(left_behind(engine, mark)) == 2
    assert engine.remove_by_label(SESSION_LABEL, mark) == Removed(1, 0)
    assert left_behind(engine, mark) == []
    assert engine.remove_by_label(SESSION_LABEL, mark) == Removed()


def build(engine: DockerEngine, dockerfile: str, tag: str, lines: list[str]) -> str:
    request = BuildRequest(
        rootfs.context(dockerfile), "Dockerfile", tag, labels={"org.kit.test": "1"}
    )
    return engine.build(request, lines.append).id


def test_build_and_find(engine: DockerEngine, tiny_image: str) -> None:
    lines: list[str] = []
    tag = f"kit-test/built:{uuid.uuid4().hex[:12]}"
    text = f"FROM {tiny_image}\nRUN echo hello-from-build\n"
    image_id = build(engine, text, tag, lines)
    try:
        found = engine.find_image(tag)
        assert found is not None and found.id == image_id and found.tags == (tag,)
        assert found.labels["org.kit.test"] == "1" and found.labels[LABEL] == "kit"
        assert found.size_bytes > 0
        assert engine.find_image(image_id) == found
        assert "hello-from-build" in lines
        assert build(engine, text, tag, []) == image_id, "the cache is used"
        engine.tag(image_id, tag + "-again")
        again = engine.find_image(tag + "-again")
        assert again is not None and again.id == image_id
    finally:
        engine.remove_image(tag + "-again")
        engine.remove_image(tag)
    assert engine.find_image(tag) is None


def test_build_failure_names_step_and_last_lines(engine: DockerEngine, tiny_image: str) -> None:
    with pytest.raises(ImageError) as caught:
        build(
            engine,
            f"FROM {tiny_image}\nRUN echo the reason; exit 3\n",
            f"kit-test/broken:{uuid.uuid4().hex[:12]}",
            [],
        )
    problem = caught.value.problem
    assert "RUN echo the reason; exit 3" in problem and "code: 3" in problem
    assert "| the reason |" in problem
    assert "\n" not in problem
    with pytest.raises(ImageError, match=r"(?i)unknown instruction"):
        build(engine, "FRUM x\n", "kit-test/broken:x", [])


def test_a_silent_build_ends_with_what_fails_beside_it(
    engine: DockerEngine, tiny_image: str
) -> None:
    """The engine is told so: it removes the container of the step, which says nothing."""
    client = engine._link.client
    mark = f"sleep 3{uuid.uuid4().int % 10**6:06}"

    def steps() -> list[str]:
        return [c["Id"] for c in client.containers() if mark in c["Command"]]

    def fails() -> None:
        end = time.monotonic() + 30
        while not steps() and time.monotonic() < end:
            time.sleep(0.1)
        raise ImageError("no such image", "")

    begin = time.monotonic()
    with pytest.raises(ImageError, match="no such image"):
        together(
            lambda: build(engine, f"FROM {tiny_image}\nRUN {mark}\n", "kit-test/silent:x", []),
            fails,
        )
    while steps() and time.monotonic() - begin < 40:
        time.sleep(0.1)
    assert not steps()
    assert engine.find_image("kit-test/silent:x") is None


def test_interrupted_build_stops(engine: DockerEngine, tiny_image: str) -> None:
    """Raising out of the line sink cancels the build; its container goes away."""
    word = uuid.uuid4().hex

    def sink(line: str) -> None:
        if word in line and "Step" not in line:
            raise KeyboardInterrupt

    request = BuildRequest(
        rootfs.context(f"FROM {tiny_image}\nRUN echo {word}; sleep 60\n"),
        "Dockerfile",
        f"kit-test/stopped:{word}",
    )
    with pytest.raises(KeyboardInterrupt):
        engine.build(request, sink)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        running = engine._link.client.containers(all=True)
        if not any(word in str(entry["Command"]) for entry in running):
            return
        time.sleep(0.2)
    raise AssertionError("the build's container still runs 10 s after the interrupt")


def test_pull_of_an_unreachable_registry_fails_fast(engine: DockerEngine) -> None:
    start = time.monotonic()
    with pytest.raises(UnreachableError, match="refused") as caught:
        engine.pull(f"127.0.0.1:9/nothing@{DIGEST}", idle_timeout_s=20)
    assert time.monotonic() - start < 20 and "\n" not in caught.value.problem


def test_pull_of_a_silent_registry_ends(engine: DockerEngine) -> None:
    import socket

    if not engine.endpoint.startswith("unix://"):
        pytest.skip("the engine does not share this machine's loopback")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        with pytest.raises(ImageError, match="no answer within 1 s"):
            engine.pull(f"127.0.0.1:{silent.getsockname()[1]}/nothing@{DIGEST}", idle_timeout_s=1)
        assert time.monotonic() - start < 15


def test_pull_refuses_a_tag(engine: DockerEngine) -> None:
    with pytest.raises(InputError, match="digest"):
        engine.pull("python:3.8", idle_timeout_s=1)


def test_save_and_load(engine: DockerEngine, tiny_image: str, tmp_path: Path) -> None:
    before = engine.find_image(tiny_image)
    archive = tmp_path / "image.tar"
    with archive.open("wb") as file:
        for chunk in engine._link.client.get_image(tiny_image):
            file.write(chunk)
    loaded = engine.load(archive)
    assert before is not None and [image.id for image in loaded] == [before.id]


def test_load_refuses_what_is_no_archive(engine: DockerEngine, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="No such file"):
        engine.load(tmp_path / "missing.tar")
    other = tmp_path / "other.tar"
    with tarfile.open(other, "w") as archive:
        archive.add(__file__, "x.py")
    with pytest.raises(ImageError, match="cannot be loaded"):
        engine.load(other)
    other.write_bytes(b"no tar at all" * 100)
    with pytest.raises(ImageError, match="cannot be loaded"):
        engine.load(other)
    with pytest.raises(ImageError, match="cannot be made"):
        engine.import_rootfs(other, "kit-test/bad:bad", [])


def test_lost_engine_is_a_host_error(engine: DockerEngine, tmp_path: Path) -> None:
    nowhere = _client_to_nowhere(tmp_path)
    lost = DockerEngine(replace(engine._link, clients=lambda: nowhere))
    with pytest.raises(HostError, match="stopped answering"):
        lost.info()
    with pytest.raises(HostError, match="stopped answering"):
        lost.run(RunRequest("x"))
    with pytest.raises(HostError, match="stopped answering"):
        lost.pull(f"x@{DIGEST}", idle_timeout_s=5)


def _client_to_nowhere(folder: Path) -> object:
    import docker

    return docker.APIClient(base_url=f"unix://{folder}/gone.sock", version="1.41")
