"""The differences of engines from Docker behind the same API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


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
# From this version on Podman passes on device requests of driver "cdi"
# (containers/podman pull request 25171, "honor cdi devices from the hostconfig");
# it still takes a CDI name in HostConfig.Devices for a path (pull request 28495).
PODMAN_WITH_CDI = (5, 4)

# Podman 4.3 sets its own limits when a request names none, and those can exceed
# what a rootless user may have: the request always names both.
NOFILE = 4096
NPROC = 4096


def quirks_of(version: Mapping[str, Any]) -> Quirks:
    """Return the quirks of an engine, by its answer to the version call."""
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
