"""The URLs at which an engine may be found, in order; pure, without a connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DOCKER_SOCKET = "unix:///var/run/docker.sock"
PODMAN_SOCKET = "unix:///run/podman/podman.sock"


@dataclass(frozen=True)
class Endpoint:
    """One URL to try. ``explicit``: the user named it, so kit tries no other.

    ``tls`` is docker-py's TLSConfig, or None.
    """

    where: str
    url: str
    explicit: bool = False
    tls: Any = None


def endpoints(
    env: Mapping[str, str],
    context: Endpoint | None,
    host_tls: Any = None,
) -> tuple[Endpoint, ...]:
    """Return the endpoints to try, first to last, each URL once.

    ``context`` is the docker context in force unless it is the default one;
    ``host_tls`` belongs to DOCKER_HOST. An engine that the user named (DOCKER_HOST,
    or a context by DOCKER_CONTEXT) is the only one tried: work that was meant for
    one machine must not silently run on another.
    """
    host = env.get("DOCKER_HOST", "").strip()
    if host:
        return (Endpoint("DOCKER_HOST", host, explicit=True, tls=host_tls),)
    if context is not None and context.explicit:
        return (context,)
    found = [context] if context is not None else []
    found.append(Endpoint("Docker socket", DOCKER_SOCKET))
    runtime_dir = env.get("XDG_RUNTIME_DIR", "").rstrip("/")
    if runtime_dir:
        found.append(Endpoint("rootless Docker socket", f"unix://{runtime_dir}/docker.sock"))
    found.append(Endpoint("Podman socket", PODMAN_SOCKET))
    if runtime_dir:
        found.append(Endpoint("rootless Podman socket", f"unix://{runtime_dir}/podman/podman.sock"))
    unique: dict[str, Endpoint] = {}
    for endpoint in found:
        unique.setdefault(endpoint.url, endpoint)
    return tuple(unique.values())


def is_local(url: str) -> bool:
    """Return whether an engine at that URL runs on this machine, and thus uses its disk."""
    return url.startswith(("unix://", "http+unix://", "/"))
