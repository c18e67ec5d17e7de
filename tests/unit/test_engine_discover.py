"""Which engine is used: the order, and what is said when none answers."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from pathlib import Path

import pytest

from kit.engine.discover import (
    DOCKER_SOCKET,
    PODMAN_SOCKET,
    Endpoint,
    connect_to,
    discover,
    docker_context,
    endpoints,
)
from kit.engine.docker import DockerEngine
from kit.engine.protocol import is_local
from kit.errors import HostError, InputError


@pytest.fixture(autouse=True)
def config_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path


def add_context(folder: Path, name: str, host: str, current: bool = True) -> None:
    meta = folder / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    endpoint = {"docker": {"Host": host, "SkipTLSVerify": False}}
    meta.write_text(json.dumps({"Name": name, "Metadata": {}, "Endpoints": endpoint}))
    current_context = {"currentContext": name} if current else {}
    (folder / "config.json").write_text(json.dumps(current_context))


def urls(env: dict[str, str], context: Endpoint | None = None) -> list[str]:
    return [endpoint.url for endpoint in endpoints(env, context)]


def test_order() -> None:
    context = Endpoint("docker context far", "ssh://far")
    assert urls({"XDG_RUNTIME_DIR": "/run/user/7/"}, context) == [
        "ssh://far",
        DOCKER_SOCKET,
        "unix:///run/user/7/docker.sock",
        PODMAN_SOCKET,
        "unix:///run/user/7/podman/podman.sock",
    ]
    assert urls({}) == [DOCKER_SOCKET, PODMAN_SOCKET]


def test_named_engines_are_the_only_ones() -> None:
    context = Endpoint("docker context far", "ssh://far", explicit=True)
    assert urls({"DOCKER_HOST": "tcp://h:1"}, context) == ["tcp://h:1"]
    assert urls({}, context) == ["ssh://far"]
    assert urls({"DOCKER_HOST": " "}) == [DOCKER_SOCKET, PODMAN_SOCKET]


def test_each_place_once() -> None:
    assert urls({}, Endpoint("docker context x", DOCKER_SOCKET)) == [DOCKER_SOCKET, PODMAN_SOCKET]


def test_local() -> None:
    assert is_local("unix:///x") and not is_local("ssh://x") and not is_local("tcp://127.0.0.1:1")


def test_first_that_answers_wins() -> None:
    tried: list[str] = []
    wanted = object.__new__(DockerEngine)

    def probe(endpoint: Endpoint) -> DockerEngine:
        tried.append(endpoint.url)
        if endpoint.url == PODMAN_SOCKET:
            return wanted
        raise HostError("no such socket", "")

    assert discover(probe, {}) is wanted
    assert tried == [DOCKER_SOCKET, PODMAN_SOCKET]


def refuse(endpoint: Endpoint) -> DockerEngine:
    raise HostError(f"cannot use {endpoint.url}", "")


def test_every_failure_is_listed() -> None:
    with pytest.raises(HostError) as caught:
        discover(refuse, {})
    assert f"Docker socket ({DOCKER_SOCKET}): cannot use" in caught.value.problem
    assert f"Podman socket ({PODMAN_SOCKET}): cannot use" in caught.value.problem
    assert "kit setup" in caught.value.remedy


def test_dead_docker_host_says_so() -> None:
    with pytest.raises(HostError) as caught:
        discover(refuse, {"DOCKER_HOST": "tcp://far:1"})
    assert "DOCKER_HOST (tcp://far:1)" in caught.value.problem
    assert "Podman" not in caught.value.problem and "unset DOCKER_HOST" in caught.value.remedy


def test_current_context(config_folder: Path) -> None:
    assert docker_context({}) is None
    add_context(config_folder, "lab", "tcp://lab:2376")
    found = docker_context({})
    assert found is not None and found.url == "tcp://lab:2376" and not found.explicit
    assert docker_context({"DOCKER_CONTEXT": "default"}) is None


def test_chosen_context_is_explicit(config_folder: Path) -> None:
    add_context(config_folder, "lab", "tcp://lab:2376", current=False)
    assert docker_context({}) is None
    found = docker_context({"DOCKER_CONTEXT": "lab"})
    assert found is not None and found.explicit and found.where == "docker context lab"


def test_missing_and_broken_contexts_are_named(config_folder: Path) -> None:
    with pytest.raises(InputError, match="no docker context gone"):
        docker_context({"DOCKER_CONTEXT": "gone"})
    add_context(config_folder, "lab", "tcp://lab:2376")
    next(config_folder.rglob("meta.json")).write_text("{")
    with pytest.raises(InputError, match="lab cannot be read"):
        docker_context({})


def test_sockets_that_will_not_do(tmp_path: Path) -> None:
    def reason(path: Path) -> str:
        with pytest.raises(HostError) as caught:
            connect_to(Endpoint("x", f"unix://{path}"))
        return caught.value.problem

    assert reason(tmp_path / "missing") == "no such socket"
    (tmp_path / "file").write_text("")
    assert reason(tmp_path / "file") == "not a socket"
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(tmp_path / "dead"))
    dead.close()
    assert "refused" in reason(tmp_path / "dead")


def test_bad_docker_hosts_are_host_errors() -> None:
    for url in ("nonsense://x", "tcp://127.0.0.1:9", "unix:///no/such/socket"):
        with pytest.raises(HostError) as caught:
            discover(env={"DOCKER_HOST": url})
        assert url in caught.value.problem and "\n" not in caught.value.problem


def test_missing_certificates_are_named(tmp_path: Path) -> None:
    env = {"DOCKER_HOST": "tcp://h:1", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}
    with pytest.raises(InputError, match="DOCKER_CERT_PATH"):
        discover(refuse, env)


@pytest.mark.parametrize("host", ["/var/run/docker.sock", "./docker.sock", "~/docker.sock"])
def test_a_docker_host_that_is_a_path_needs_its_scheme(host: str) -> None:
    with pytest.raises(InputError, match="DOCKER_HOST") as caught:
        discover(refuse, {"DOCKER_HOST": host})
    assert "DOCKER_HOST=unix:///" in caught.value.remedy


@pytest.mark.parametrize(
    "text",
    ["null", "[]", "1", '"x"', '{"auths": {"x": 1}}', '{"auths": {"x": {"auth": 5}}}',
     '{"proxies": 1}', '{"proxies": {"default": 1}}', None],
)  # fmt: skip
def test_settings_of_docker_that_docker_py_cannot_use_are_named(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.json"
    if text is None:
        os.mkfifo(file)
    else:
        file.write_text(text)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with socket.socket(socket.AF_UNIX) as there:
        there.bind(str(tmp_path / "s"))
        with pytest.raises(InputError) as caught:
            discover(env={"DOCKER_HOST": f"unix://{tmp_path}/s"})
    assert str(file) in caught.value.problem
