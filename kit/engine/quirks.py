"""Where engines differ from Docker behind the same API, named in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Quirks:
    """What may be asked of an engine.

    ``labelled_volume``: an anonymous volume can carry labels. ``log_config``:
    json-file logging with a size limit can be asked for. ``gpu_request``: a
    device request is honoured or refused, never silently ignored.
    """

    engine: str
    labelled_volume: bool
    log_config: bool
    gpu_request: bool


DOCKER = Quirks("Docker", labelled_volume=True, log_config=True, gpu_request=True)
# Podman's compatibility API keeps labels of named volumes only, knows json-file
# merely as another name of its own log driver, and starts a container without
# the GPU it was asked for, without a word.
PODMAN = Quirks("Podman", labelled_volume=False, log_config=False, gpu_request=False)

# Podman 4.3 sets limits of its own when a request names none, and those can be
# above what a rootless user may have: the request always names both.
NOFILE = 4096
NPROC = 4096


def quirks_of(version: Mapping[str, Any]) -> Quirks:
    """The quirks of an engine, by its answer to the version call."""
    names = {str(part.get("Name", "")) for part in version.get("Components") or ()}
    return PODMAN if any("podman" in name.lower() for name in names) else DOCKER


def engine_version(version: Mapping[str, Any]) -> str:
    """The engine's own version; Podman also reports the Docker version it poses as."""
    for part in version.get("Components") or ():
        if "podman" in str(part.get("Name", "")).lower():
            return str(part.get("Version", ""))
    return str(version.get("Version", ""))


def swap_refused(reason: str) -> bool:
    """Whether a container was refused only because swap cannot be limited here.

    Docker drops that limit with a warning on a kernel without swap accounting;
    other engines and runtimes fail. The memory limit itself still holds.
    """
    text = reason.lower()
    return "memory.memsw" in text or "memory.swap" in text or "swap limit" in text
