"""The life of a container over a made-up client: whatever fails, it is removed."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import docker.errors
import pytest
import requests
import urllib3.exceptions

from kit.engine import container
from kit.engine.collect import MAX_RESULT_BYTES
from kit.engine.connection import Connection, decoded, error_in, is_timeout, message_line
from kit.engine.docker import DockerEngine
from kit.engine.protocol import RunRequest
from kit.engine.pull import split_digest
from kit.errors import HostError, InputError, RunError

DIGEST = "sha256:" + "a" * 64


def api_error(status: int, text: str) -> docker.errors.APIError:
    response = requests.Response()
    response.status_code = status
    kind = docker.errors.NotFound if status == 404 else docker.errors.APIError
    return kind(text, response=response, explanation=text)


def empty_tar() -> bytes:
    buffer = io.BytesIO()
    tarfile.open(fileobj=buffer, mode="w").close()
    return buffer.getvalue()


@dataclass
class Client:
    """Answers every call well, unless ``on`` holds something to do in its place."""

    on: dict[str, Callable[[], Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    configs: list[dict[str, Any]] = field(default_factory=list)
    base_url: str = "http+docker://localhost"
    api_version: str = "1.41"

    def _do(self, name: str, answer: Any = None) -> Any:
        self.calls.append(name)
        return self.on[name]() if name in self.on else answer

    def inspect_image(self, reference: str) -> Any:
        return self._do("inspect_image", {"Id": "sha256:1", "Config": {"User": "1"}})

    def create_container_from_config(self, config: dict[str, Any], name: str) -> Any:
        self.configs.append(config)
        return self._do("create", {"Id": "1"})

    def start(self, name: str) -> Any:
        return self._do("start")

    def wait(self, name: str, timeout: float) -> Any:
        return self._do("wait", {"StatusCode": 0})

    def kill(self, name: str) -> Any:
        return self._do("kill")

    def inspect_container(self, name: str) -> Any:
        state = {"ExitCode": 0, "OOMKilled": False, "StartedAt": "s", "FinishedAt": "f"}
        return self._do("inspect", {"State": state})

    def get(self, url: str, **_: Any) -> requests.Response:
        response = requests.Response()
        response.status_code = 200
        response.raw = io.BytesIO(empty_tar() if "/archive" in url else b"")
        return self._do("get", response)

    def remove_container(self, name: str, v: bool, force: bool) -> Any:
        assert v and force
        return self._do("remove")


def run(client: Client, **fields: Any) -> Any:
    return container.run(Connection(lambda: client, "unix:///x"), RunRequest("image", **fields))  # type: ignore[arg-type]


def raising(*errors: BaseException | None) -> Callable[[], Any]:
    """Raise these in turn (None: answer well), then answer well."""
    left = list(errors)

    def act() -> None:
        error = left.pop(0) if left else None
        if error is not None:
            raise error

    return act


def test_as_few_calls_as_possible() -> None:
    client = Client()
    outcome = run(client)
    assert client.calls == [
        *("inspect_image", "create", "inspect", "start", "wait", "get", "get", "inspect", "remove"),
    ]
    assert outcome.exit_code == 0 and outcome.started_at == "s" and outcome.files == {}


@pytest.mark.parametrize("call", ["create", "start", "wait", "get", "inspect"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), requests.ConnectionError("gone")])
def test_removed_whatever_fails(call: str, error: BaseException) -> None:
    client = Client({call: raising(error)})
    expected = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else HostError
    with pytest.raises(expected):
        run(client)
    assert client.calls[-1] == "remove"


def states(*flags: bool) -> Callable[[], Any]:
    """A container that was killed, as the engine tells of it each time it is asked."""
    left = list(flags)
    state = {"ExitCode": 137, "StartedAt": "s", "FinishedAt": "f"}
    return lambda: {"State": {**state, "OOMKilled": left.pop(0) if len(left) > 1 else left[0]}}


def test_an_oom_kill_that_is_told_late_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    late = {"inspect": states(False, False, False, True)}
    monkeypatch.setattr(container, "_OOM_WAIT_S", 10.0)
    assert run(Client(late), memory_bytes=10**9).oom_killed
    # Nothing to wait for: no limit could have been met.
    client = Client({"inspect": states(False, False, True)})
    assert not run(client).oom_killed and client.calls.count("inspect") == 2


def limited(*hosts: Mapping[str, Any]) -> Callable[[], Any]:
    """A container that ended well, with these limits each time the engine is asked."""
    left = [{"State": {"ExitCode": 0}, "HostConfig": dict(host)} for host in hosts]
    return lambda: left.pop(0)


@pytest.mark.parametrize(
    "before, after, found",
    [
        ({}, {"CpuQuota": 50000}, [("CpuQuota", "none", "50000")]),
        ({"NanoCpus": 0}, {"NanoCpus": 5 * 10**8}, [("NanoCpus", "none", "500000000")]),
        ({"CpusetCpus": "0-1"}, {"CpusetCpus": "0"}, [("CpusetCpus", "0-1", "0")]),
        ({"PidsLimit": 512}, {"PidsLimit": None}, [("PidsLimit", "512", "none")]),
        ({"Memory": 6, "MemorySwap": 6}, {"Memory": 9, "MemorySwap": 9},
         [("Memory", "6", "9"), ("MemorySwap", "6", "9")]),
        ({"CpuQuota": 0, "PidsLimit": -1}, {"CpuQuota": -1, "CpusetCpus": ""}, []),
        ({"RestartPolicy": 1}, {"RestartPolicy": 2}, []),
    ],
)  # fmt: skip
def test_a_limit_that_was_changed_meanwhile_is_told(
    before: Mapping[str, Any], after: Mapping[str, Any], found: list[tuple[str, str, str]]
) -> None:
    outcome = run(Client({"inspect": limited(before, after)}))
    assert [(c.name, c.asked, c.found) for c in outcome.changed] == found


def test_a_killed_container_without_an_oom_is_not_waited_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(container, "_OOM_WAIT_S", 0.2)
    outcome = run(Client({"inspect": states(False)}), memory_bytes=10**9)
    assert (outcome.exit_code, outcome.oom_killed) == (137, False)


def test_a_second_interrupt_does_not_stop_the_removal() -> None:
    client = Client({"wait": raising(KeyboardInterrupt()), "remove": raising(KeyboardInterrupt())})
    with pytest.raises(KeyboardInterrupt):
        run(client)
    assert client.calls[-2:] == ["remove", "remove"]


def test_a_container_that_appears_late_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container.time, "sleep", lambda _: None)
    missing = api_error(404, "No such container")
    client = Client({"create": raising(KeyboardInterrupt()), "remove": raising(missing, missing)})
    with pytest.raises(KeyboardInterrupt):
        run(client)
    assert client.calls.count("remove") == 3


def test_first_failure_is_the_one_told() -> None:
    lost = requests.ConnectionError("gone")
    client = Client({"wait": raising(KeyboardInterrupt()), "remove": raising(lost)})
    with pytest.raises(KeyboardInterrupt):
        run(client)
    with pytest.raises(HostError, match="stopped answering"):
        run(Client({"remove": raising(lost)}))


def test_refusals_are_run_errors_in_one_line() -> None:
    with pytest.raises(RunError) as caught:
        run(Client({"start": raising(api_error(500, "cannot\n  start \x1b[31mit"))}))
    assert caught.value.problem == "a container of image could not be started: cannot start it"
    with pytest.raises(RunError, match="there is no image image"):
        run(Client({"inspect_image": raising(api_error(404, "No such image"))}))


def test_swap_that_cannot_be_limited_is_left_alone() -> None:
    client = Client({"start": raising(api_error(500, "write memory.memsw.limit_in_bytes: x"))})
    assert run(client, memory_bytes=2**30).exit_code == 0
    assert [config["HostConfig"].get("MemorySwap") for config in client.configs] == [2**30, None]
    assert client.calls.count("remove") == 2


def test_timeout_kills(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = urllib3.exceptions.ReadTimeoutError(None, "", "Read timed out.")  # type: ignore[arg-type]
    client = Client({"wait": raising(requests.ConnectionError(inner))})
    assert run(client, timeout_s=0).timed_out
    assert client.calls[4:7] == ["wait", "kill", "wait"]
    ended = Client(
        {
            "wait": raising(requests.ReadTimeout()),
            "kill": raising(api_error(409, "is not running")),
        }
    )
    assert run(ended, timeout_s=0).timed_out


def test_a_lost_connection_is_no_timeout() -> None:
    client = Client({"wait": raising(requests.ConnectionError("Remote end closed"))})
    with pytest.raises(HostError, match="stopped answering: Remote end closed"):
        run(client, timeout_s=0)
    assert not is_timeout(ValueError())


def test_removal_by_somebody_else_is_fine() -> None:
    busy = api_error(409, "removal is already in progress")
    assert run(Client({"remove": raising(busy)})).exit_code == 0


class Informed:
    """A client that knows what an engine of API 1.50 says of itself."""

    api_version = "1.50"

    def __init__(self, **said: object) -> None:
        self.said = said

    def info(self) -> dict[str, object]:
        return {"Runtimes": {"runc": {}, "nvidia": {}}, **self.said}

    def version(self) -> dict[str, object]:
        return {"Version": "28.3"}


def test_what_an_engine_says_of_gpus() -> None:
    found = [{"Source": "cdi", "ID": "nvidia.com/gpu=0"}, {"Source": "other", "ID": "x"}]
    told = DockerEngine(Connection(partial(Informed, DiscoveredDevices=found), "unix:///x")).info()  # type: ignore[arg-type]
    assert told.cdi_devices == ("nvidia.com/gpu=0",)
    assert told.gpu_drivers == ("nvidia", "cdi")
    assert told.runtimes == ("nvidia", "runc")
    for said in ({}, {"DiscoveredDevices": None}):
        silent = DockerEngine(Connection(partial(Informed, **said), "unix:///x"))  # type: ignore[arg-type]
        assert silent.info().cdi_devices == ()


def test_engine_errors_never_escape_raw() -> None:
    class Broken:
        def info(self) -> None:
            raise api_error(500, "boom")

    with pytest.raises(HostError, match="answered with an error: boom"):
        DockerEngine(Connection(Broken, "unix:///x")).info()  # type: ignore[arg-type]


def test_one_line() -> None:
    text = "a\n\tb \x1b[1mbold\x1b[0m \x1b]8;;http://x\x07link\u2028\x00 end"
    assert message_line(text) == "a b bold link end"
    assert message_line("a\u202eb\u200bc \ud800") == "abc \ufffd", "as a report shows it"
    assert len(message_line("x" * 1000)) == 400 and message_line("x" * 1000).endswith("...")


def test_stream_events() -> None:
    assert error_in({"error": "bad\nthing"}) == "bad thing"
    assert error_in({"errorDetail": {"message": "deep"}, "error": "flat"}) == "deep"
    assert error_in({"stream": "fine"}) is None
    assert decoded(b"no json") == {"stream": "no json\n"} and decoded(b"[1]")["stream"] == "[1]\n"


def test_only_digests_are_pulled() -> None:
    assert split_digest(f"host:5000/a/b@{DIGEST}") == ("host:5000/a/b", DIGEST)
    assert split_digest(f"host:5000/a/b:1.2@{DIGEST}") == ("host:5000/a/b", DIGEST)
    for bad in (
        "python:3.8",
        "python",
        f"@{DIGEST}",
        f"x@{DIGEST}0",
        "x@sha256:12",
        f"a b@{DIGEST}",
    ):
        with pytest.raises(InputError, match="digest"):
            split_digest(bad)


def results(content: bytes) -> Callable[[], requests.Response]:
    """What the engine sends for the results folder, then for the logs."""
    left = [content, b""]

    def act() -> requests.Response:
        response = requests.Response()
        response.status_code = 200
        response.raw = io.BytesIO(left.pop(0))
        return response

    return act


def oversized() -> bytes:
    """The start of an archive with a file larger than a run may leave."""
    member = tarfile.TarInfo("results/record.json")
    member.size = MAX_RESULT_BYTES + 1
    return member.tobuf() + bytes(512)


@pytest.mark.parametrize("content", [oversized(), b"no tar" * 200])
def test_results_that_cannot_be_taken_are_the_runs_own_outcome(content: bytes) -> None:
    client = Client({"get": results(content)})
    outcome = run(client)
    assert outcome.files == {} and outcome.broken
    assert (outcome.exit_code, outcome.started_at, outcome.finished_at) == (0, "s", "f")
    assert client.calls[-1] == "remove"


def test_a_refused_swap_limit_is_found_behind_any_number_of_words() -> None:
    client = Client({"start": raising(api_error(500, "x" * 1000 + "memory.memsw.limit_in_bytes"))})
    assert run(client, memory_bytes=10**9).exit_code == 0
    assert len(client.configs) == 2 and client.calls.count("remove") == 2
