"""The create call: every limit is in it, whatever the request says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kit.engine.hardening import (
    DOCKER,
    PODMAN,
    UNPRIVILEGED,
    Quirks,
    container_config,
    engine_version,
    quirks_of,
    release,
    swap_refused,
    unprivileged_user,
)
from kit.engine.protocol import LABEL, RunRequest

PODMAN_VERSION = {
    "Version": "20.10.0",
    "Components": [{"Name": "Podman Engine", "Version": "4.3.1"}, {"Name": "Conmon"}],
}


def config(quirks: Quirks = DOCKER, user: str = "", **fields: Any) -> dict[str, Any]:
    return container_config(RunRequest("x", **fields), "sha256:1", user, quirks)


def test_every_container_is_hardened() -> None:
    host = config()["HostConfig"]
    assert host["NetworkMode"] == "none" and host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"] and host["SecurityOpt"] == ["no-new-privileges"]
    assert host["Init"] is True and host["PidsLimit"] == 512
    assert host["Tmpfs"] == {"/tmp": "rw,nosuid,size=256m"}
    assert {limit["Name"] for limit in host["Ulimits"]} == {"nofile", "nproc"}
    assert "Binds" not in host and "Privileged" not in host


def test_memory_is_a_limit_without_swap() -> None:
    host = config(memory_bytes=2**30, cpuset="0-1")["HostConfig"]
    assert host["Memory"] == host["MemorySwap"] == 2**30 and host["CpusetCpus"] == "0-1"
    without = container_config(
        RunRequest("x", memory_bytes=2**30), "i", "", DOCKER, limit_swap=False
    )
    assert "MemorySwap" not in without["HostConfig"]
    assert "Memory" not in config()["HostConfig"]


def test_results_volume_is_anonymous_and_labelled() -> None:
    made = config(labels={"a": "b"})
    (mount,) = made["HostConfig"]["Mounts"]
    assert mount["Type"] == "volume" and mount["Target"] == "/results" and "Source" not in mount
    assert mount["VolumeOptions"]["Labels"] == {LABEL: "kit", "a": "b"} == made["Labels"]


@pytest.mark.parametrize(
    ("gpu", "chosen"),
    [("all", {"Count": -1}), ("0", {"DeviceIDs": ["0"]}), ("GPU-1", {"DeviceIDs": ["GPU-1"]})],
)
def test_a_gpu_is_a_device_request(gpu: str, chosen: dict[str, Any]) -> None:
    (request,) = config(gpu=gpu)["HostConfig"]["DeviceRequests"]
    assert request == {"Driver": "", "Capabilities": [["gpu"]], **chosen}
    assert "DeviceRequests" not in config()["HostConfig"]


@pytest.mark.parametrize("quirks", [DOCKER, PODMAN])
def test_named_volumes_are_mounted_beside_the_results(quirks: Quirks) -> None:
    mounts = config(quirks, volumes={"b": "/two", "a": "/one"})["HostConfig"]["Mounts"]
    named = [mount for mount in mounts if "Source" in mount]
    assert [(mount["Source"], mount["Target"]) for mount in named] == [("a", "/one"), ("b", "/two")]
    for mount in named:
        assert mount["Type"] == "volume"
        assert mount["VolumeOptions"]["Labels"] == {LABEL: "kit"}, "kept: no session's label"


def test_podman_gets_only_what_it_understands() -> None:
    made = config(PODMAN)
    assert made["Volumes"] == {"/results": {}}
    assert "Mounts" not in made["HostConfig"] and "LogConfig" not in made["HostConfig"]


@pytest.mark.parametrize("user", ["", "root", "0", "0:0", "root:10", "00"])
def test_root_is_replaced(user: str) -> None:
    assert unprivileged_user(user) == UNPRIVILEGED == config(user=user)["User"]


@pytest.mark.parametrize("user", ["10001", "10001:10001", "kit", "app:app"])
def test_the_image_keeps_its_own_user(user: str) -> None:
    assert unprivileged_user(user) is None and "User" not in config(user=user)


def test_a_gpu_is_asked_for_by_the_toolkit_s_names_or_by_cdi() -> None:
    def asked(gpu: str) -> object:
        return config(gpu=gpu)["HostConfig"]["DeviceRequests"]

    toolkit = {"Driver": "", "Capabilities": [["gpu"]]}
    assert asked("all") == [{**toolkit, "Count": -1}]
    assert asked("GPU-1") == [{**toolkit, "DeviceIDs": ["GPU-1"]}]
    assert asked("nvidia.com/gpu=GPU-1") == [
        {"Driver": "cdi", "DeviceIDs": ["nvidia.com/gpu=GPU-1"]}
    ]
    assert "DeviceRequests" not in config()["HostConfig"]


@pytest.mark.parametrize(
    ("version", "drivers"),
    [
        ("4.3.1", ()),
        ("5.3.2", ()),
        ("5.4.0", ("cdi",)),
        ("5.4.0-rc1", ("cdi",)),
        ("10.0", ("cdi",)),
    ],
)
def test_podman_honours_gpu_requests_by_cdi_from_a_version_on(version: str, drivers: object):
    found = quirks_of({"Components": [{"Name": "Podman Engine", "Version": version}]})
    assert found.gpu_drivers == drivers
    assert replace(found, gpu_drivers=()) == PODMAN


def test_command_and_environment() -> None:
    made = config(command=("a", "b c"), env={"K": "v=w"})
    assert made["Cmd"] == ["a", "b c"] and made["Env"] == ["K=v=w"]
    assert "Cmd" not in config()


def test_engines_are_told_apart() -> None:
    assert quirks_of(PODMAN_VERSION) is PODMAN and engine_version(PODMAN_VERSION) == "4.3.1"
    docker = {"Version": "24.0", "Components": [{"Name": "Engine", "Version": "24.0"}]}
    assert quirks_of(docker) is DOCKER and engine_version(docker) == "24.0"
    assert quirks_of({"Version": "1"}) is DOCKER


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        ("4.3.1+ds1", (4, 3, 1)),
        ("20.10.24+dfsg1", (20, 10, 24)),
        ("5.4.0-rc1", (5, 4, 0)),
        ("28.0.0-rd", (28, 0, 0)),
        ("24.0.7-0ubuntu4~22.04.1", (24, 0, 7)),
        ("535.183.01", (535, 183, 1)),
        ("1.41", (1, 41)),
        ("dev", ()),
        ("", ()),
    ],
)
def test_a_version_is_read_as_far_as_it_is_numbers(version: str, numbers: tuple[int, ...]) -> None:
    assert release(version) == numbers


def test_swap_refusals_are_known() -> None:
    assert swap_refused("open .../memory.memsw.limit_in_bytes: no such file or directory")
    assert swap_refused("Your kernel does not support swap limit capabilities")
    assert not swap_refused("Minimum memory limit allowed is 6MB")
