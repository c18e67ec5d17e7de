"""The URLs at which an engine may be found, in order, and connecting to the first that answers."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.engine.connection import connect, message_line, reading_settings
from kit.engine.docker import DockerEngine
from kit.environment import variables
from kit.errors import HostError, InputError

PROBE_TIMEOUT_S = 10.0
REMEDY = "run `kit setup`, or start Docker or Podman"
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


Connector = Callable[[Endpoint], DockerEngine]
"""A function that connects to one endpoint, or raises HostError with the reason."""


def discover(
    connector: Connector | None = None, env: Mapping[str, str] | None = None
) -> DockerEngine:
    """Return the first engine that answers, connected.

    Raises HostError that lists every endpoint tried and why it failed, and InputError
    for a DOCKER_HOST, a docker context or settings of docker that cannot be used.
    """
    env = variables() if env is None else env
    connector = connect_to if connector is None else connector
    _check_host(env.get("DOCKER_HOST", "").strip())
    places = endpoints(env, docker_context(env), _host_tls(env))
    failures: list[str] = []
    for endpoint in places:
        try:
            return connector(endpoint)
        except HostError as error:
            failures.append(f"{endpoint.where} ({endpoint.url}): {error.problem}")
    problem = "no container engine answers: " + "; ".join(failures)
    if places[0].explicit:
        raise HostError(
            problem, f"start that engine, or unset {_named_by(places[0])} to use another one"
        )
    raise HostError(problem, REMEDY)


def connect_to(endpoint: Endpoint) -> DockerEngine:
    """Return the engine at one endpoint, connected. Raises HostError with a short reason."""
    if endpoint.url.startswith("unix://"):
        _check_socket(Path(endpoint.url.removeprefix("unix://")))
    return DockerEngine(connect(endpoint.url, endpoint.tls, PROBE_TIMEOUT_S))


def docker_context(env: Mapping[str, str]) -> Endpoint | None:
    """Return the docker context in force: DOCKER_CONTEXT, else the current one.

    None for the default one. Raises InputError if it does not exist or is broken.
    """
    from docker.context import ContextAPI
    from docker.context.config import get_current_context_name

    chosen = env.get("DOCKER_CONTEXT", "").strip()
    with reading_settings():
        name = chosen or get_current_context_name() or "default"
    if name == "default":
        return None
    try:
        context = ContextAPI.get_context(name)
        url = context.Host if context is not None else None
    except Exception as error:  # docker-py raises the bare class for a broken file
        raise InputError(
            f"docker context {name} cannot be read: {message_line(error)}",
            "repair it, or choose another: docker context use default",
        ) from error
    if context is None or not url:
        raise InputError(
            f"there is no docker context {name}", "choose another: docker context use default"
        )
    return Endpoint(
        f"docker context {name}", str(url), explicit=bool(chosen), tls=context.TLSConfig
    )


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


def _check_host(host: str) -> None:
    """Raise InputError for a path: docker-py would take it for a host name."""
    if host.startswith(("/", ".", "~")):
        path = message_line(host) if host.startswith("/") else "/PATH"
        raise InputError(
            f"DOCKER_HOST: {message_line(host)} has no scheme",
            f"for a socket: export DOCKER_HOST=unix://{path}",
        )


def _host_tls(env: Mapping[str, str]) -> object:
    if not env.get("DOCKER_HOST", "").strip():
        return None
    from docker.errors import TLSParameterError
    from docker.utils import kwargs_from_env

    try:
        return kwargs_from_env(environment=dict(env)).get("tls")
    except TLSParameterError as error:
        raise InputError(
            f"DOCKER_CERT_PATH or DOCKER_TLS_VERIFY is not usable: {message_line(error)}",
            "let DOCKER_CERT_PATH name a folder with ca.pem, cert.pem and key.pem",
        ) from error


def _check_socket(path: Path) -> None:
    """Raise HostError with a short reason where connecting to the socket would fail."""
    try:
        is_socket = stat.S_ISSOCK(path.stat().st_mode)
    except FileNotFoundError:
        raise HostError("no such socket", REMEDY) from None
    except OSError as error:
        raise HostError(message_line(error.strerror or error), REMEDY) from None
    if not is_socket:
        raise HostError("not a socket", REMEDY)
    if not os.access(path, os.R_OK | os.W_OK):
        raise HostError(
            "permission denied (your user may not use it; Docker: add it to the group docker)",
            REMEDY,
        )


def _named_by(endpoint: Endpoint) -> str:
    return "DOCKER_HOST" if endpoint.where == "DOCKER_HOST" else "DOCKER_CONTEXT"
