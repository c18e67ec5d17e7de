"""The engine's create call for a run request, with every limit, and how engines differ; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kit.engine.protocol import OWNED, RunRequest

UNPRIVILEGED = "10001:10001"
"""User and group for images that name no user, or name root."""
LOG_FILE_SIZE = "8m"
# From this version on Podman passes on device requests of driver "cdi"
# (containers/podman pull request 25171, "honor cdi devices from the hostconfig");
# it still takes a CDI name in HostConfig.Devices for a path (pull request 28495).
PODMAN_WITH_CDI = (5, 4)
# Podman 4.3 sets its own limits when a request names none, and those can exceed
# what a rootless user may have: the request always names both.
NOFILE = 4096
NPROC = 4096


@dataclass(frozen=True)
class Quirks:
    """The features that an engine supports.

    ``labelled_volume``: an anonymous volume can carry labels. ``log_config``:
    json-file logging with a size limit can be requested. ``gpu_drivers``: drivers
    whose device requests are honoured or refused, never silently ignored:
    "nvidia" (the container toolkit's) and "cdi" (names of the Container Device
    Interface).
    """

    engine: str
    labelled_volume: bool
    log_config: bool
    gpu_drivers: tuple[str, ...]


DOCKER = Quirks("Docker", labelled_volume=True, log_config=True, gpu_drivers=("nvidia", "cdi"))
# Podman's compatibility API keeps labels of named volumes only, knows json-file
# merely as another name of its own log driver, and silently starts a container
# without the requested GPU (containers/podman issue 22645).
PODMAN = Quirks("Podman", labelled_volume=False, log_config=False, gpu_drivers=())


def unprivileged_user(image_user: str) -> str | None:
    """Return the user to run a container as, for an image whose configured user is ``image_user``.

    None if that one is not root: it can stay.
    """
    name = image_user.split(":", maxsplit=1)[0].strip()
    is_root = name in {"", "root"} or (name.isdigit() and int(name) == 0)
    return UNPRIVILEGED if is_root else None


def container_config(
    request: RunRequest, image_id: str, image_user: str, quirks: Quirks, *, limit_swap: bool = True
) -> dict[str, Any]:
    """Return the JSON body of a create call, by the names of engine API 1.41.

    ``limit_swap`` False leaves swap unlimited, for kernels that cannot limit it.
    """
    labels = {**OWNED, **request.labels}
    config: dict[str, Any] = {
        "Image": image_id,
        "Env": [f"{key}={value}" for key, value in request.env.items()],
        "Labels": labels,
        "AttachStdout": False,
        "AttachStderr": False,
        "HostConfig": _host_config(request, labels, quirks, limit_swap),
    }
    if not quirks.labelled_volume:
        config["Volumes"] = {request.results_dir: {}}
    if request.terminal:
        config["Tty"] = True
    if request.command:
        config["Cmd"] = list(request.command)
    user = unprivileged_user(image_user)
    if user is not None:
        config["User"] = user
    return config


def quirks_of(version: Mapping[str, Any]) -> Quirks:
    """Return the features that an engine supports, by its answer to the version call."""
    names = {str(part.get("Name", "")) for part in version.get("Components") or ()}
    if not any("podman" in name.lower() for name in names):
        return DOCKER
    honours = release(engine_version(version)) >= PODMAN_WITH_CDI
    return replace(PODMAN, gpu_drivers=("cdi",)) if honours else PODMAN


def engine_version(version: Mapping[str, Any]) -> str:
    """Return the engine's own version; Podman also reports the Docker version it emulates."""
    for part in version.get("Components") or ():
        if "podman" in str(part.get("Name", "")).lower():
            return str(part.get("Version", ""))
    return str(version.get("Version", ""))


def release(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: (5, 4, 0) for "5.4.0-rc1"; () without any.

    Not by ``packaging.version``: engines and drivers write versions it cannot parse, such as
    "28.0.0-rd", "4.9.4-rhel" or "24.0.7-0ubuntu4~22.04.1".
    """
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def swap_refused(reason: str) -> bool:
    """Return whether a container was refused only because swap cannot be limited here.

    Docker drops that limit with a warning on a kernel without swap accounting;
    other engines and runtimes fail. The memory limit itself still holds.
    """
    text = reason.lower()
    return "memory.memsw" in text or "memory.swap" in text or "swap limit" in text


def _host_config(
    request: RunRequest, labels: Mapping[str, str], quirks: Quirks, limit_swap: bool
) -> dict[str, Any]:
    """Return the HostConfig: the container's permissions and its limits on the host."""
    host: dict[str, Any] = {
        "NetworkMode": "none",
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "Init": True,
        "Tmpfs": dict(request.tmpfs),
        "PidsLimit": request.pids,
        "Ulimits": [
            {"Name": "nofile", "Soft": NOFILE, "Hard": NOFILE},
            {"Name": "nproc", "Soft": NPROC, "Hard": NPROC},
        ],
    }
    if request.cpuset is not None:
        host["CpusetCpus"] = request.cpuset
    if request.memory_bytes is not None:
        host["Memory"] = request.memory_bytes
        if limit_swap:
            # The engine's number is memory plus swap: equal means no swap.
            host["MemorySwap"] = request.memory_bytes
    if quirks.log_config:
        # The host's default driver may neither allow reading logs nor limit them.
        host["LogConfig"] = {
            "Type": "json-file",
            "Config": {"max-size": LOG_FILE_SIZE, "max-file": "2"},
        }
    if request.gpu is not None:
        host["DeviceRequests"] = [_gpu(request.gpu)]
    mounts = _mounts(request, labels, quirks)
    if mounts:
        host["Mounts"] = mounts
    return host


def _mounts(request: RunRequest, labels: Mapping[str, str], quirks: Quirks) -> list[dict[str, Any]]:
    """Return mounts of the named volumes, and of the results volume if it can have labels."""
    mounts: list[dict[str, Any]] = [
        {
            "Type": "volume",
            "Source": name,
            "Target": path,
            "VolumeOptions": {"Labels": dict(OWNED)},
        }
        for name, path in sorted(request.volumes.items())
    ]
    if quirks.labelled_volume:
        # A volume mount without a source is anonymous: removed with its container.
        mounts.append(
            {
                "Type": "volume",
                "Target": request.results_dir,
                "VolumeOptions": {"Labels": dict(labels)},
            }
        )
    return mounts


def _gpu(device: str) -> dict[str, Any]:
    """Return the engine's device request.

    A CDI name is requested by driver, as the docker command line does for such
    a --device; the NVIDIA container toolkit serves any other.
    """
    if "=" in device:
        return {"Driver": "cdi", "DeviceIDs": [device]}
    chosen = {"Count": -1} if device == "all" else {"DeviceIDs": [device]}
    return {"Driver": "", "Capabilities": [["gpu"]], **chosen}
