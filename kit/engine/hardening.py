"""The engine's create call for a run request, with every limit; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit.engine.protocol import OWNED, RunRequest
from kit.engine.quirks import NOFILE, NPROC, Quirks

UNPRIVILEGED = "10001:10001"
"""User and group for images that name no user, or name root."""
LOG_FILE_SIZE = "8m"


def unprivileged_user(image_user: str) -> str | None:
    """Return the user to request; None keeps the image's own, which is not root."""
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
