"""Collects the facts of this machine for the doctor's checks, without changing anything."""

from __future__ import annotations

import os
import platform
import queue
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from kit.engine.connection import message_line
from kit.engine.discover import discover
from kit.engine.protocol import Engine, EngineInfo
from kit.environment import variables
from kit.errors import KitError
from kit.host.doctor.checks import DoctorFacts
from kit.host.facts import governors
from kit.host.gpu.probe import GpuReader, NvmlProbe
from kit.host.network import CA_VARIABLES, PROXY_VARIABLES
from kit.host.process import run, scratch_problem

DOCKER_HUB = "docker.io"
_NVIDIA = Path("/proc/driver/nvidia/version")
TIMEOUT_S = 5.0
Reacher = Callable[[Sequence[str]], Mapping[str, str]]
"""Maps registry hosts to the reason why each cannot be reached; "" for one that answers."""
# The host in an image reference is not the host that serves the registry API.
_SERVED_BY = {"docker.io": "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}


def reachability(hosts: Sequence[str], timeout_s: float = TIMEOUT_S) -> dict[str, str]:
    """Query the registry API of every host, and return, by host, why it does not answer.

    "" means that it does; any HTTP answer, also 401, counts. Takes ``timeout_s`` seconds at most.
    """
    answers: queue.Queue[tuple[str, str]] = queue.Queue()
    for host in hosts:
        # Daemon threads: a name lookup may hang far beyond any timeout.
        threading.Thread(
            target=lambda name=host: answers.put((name, ping_registry(name, timeout_s))),
            daemon=True,
        ).start()
    found = dict.fromkeys(hosts, f"no answer within {timeout_s:g} s")
    deadline = time.monotonic() + timeout_s
    for _ in found:
        try:
            host, reason = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        found[host] = reason
    return found


def find_facts(
    sources: Mapping[str, Sequence[str]],
    find_python: Callable[[], str | None],
    *,
    find_engine: Callable[[], Engine] = discover,
    images_there: Callable[[Engine], bool] = lambda _: False,
    env: Mapping[str, str] | None = None,
    reach: Reacher = reachability,
    probe: GpuReader | None = None,
) -> DoctorFacts:
    """Return all facts; takes a few seconds at most. A missing engine is a fact, not an error.

    ``sources`` maps a base image's role to the registries (host, or host:port) that may have
    it; the engine's own mirrors are added where one of them is Docker Hub.
    ``find_python`` returns version and path of a CPython 3.8 with a shared library as text, None
    without one; ``images_there`` returns whether an engine has the images of all arms.
    """
    env = variables() if env is None else env
    facts = _with_engine(find_engine, images_there)
    mirrors = (
        tuple(_host_of(name) for name in facts.engine.registry_mirrors) if facts.engine else ()
    )
    served_by = {
        role: (*hosts, *(mirrors if DOCKER_HUB in hosts else ())) for role, hosts in sources.items()
    }
    wanted = dict.fromkeys(host for hosts in served_by.values() for host in hosts)
    return replace(
        facts,
        governors=governors() if facts.engine_local else (),
        registries=reach(tuple(wanted)),
        sources=served_by,
        mmdebstrap=shutil.which("mmdebstrap"),
        scratch_problem=scratch_problem(),
        host_python=find_python(),
        gpu_driver=gpu_driver(_NVIDIA),
        gpus=(probe or NvmlProbe()).look(),
        proxies=proxies(env),
        ca_files=ca_files(env),
    )


def gpu_driver(version_file: Path) -> str | None:
    """Return the version of NVIDIA's driver, from the driver's version file or nvidia-smi.

    None where there is no driver.
    """
    try:
        words = version_file.read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        words = []
    for word in words:
        if word[:1].isdigit() and "." in word:
            return word
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    command = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    done = run(command, 10)
    lines = done.output.split()
    return message_line(lines[0]) if done.code == 0 and lines else None


def proxies(env: Mapping[str, str]) -> dict[str, str]:
    """Return the proxy variables that are set, upper or lower case, without users and passwords."""
    names = [name for name in env if name.lower() in PROXY_VARIABLES and env[name]]
    return {name: _without_password(env[name]) for name in sorted(names)}


def ca_files(env: Mapping[str, str]) -> dict[str, tuple[str, bool]]:
    """Return the CA variables that are set: each one's file (or folder), and if it is readable.

    CA variables, such as SSL_CERT_FILE, name certificates that downloads trust.
    """
    return {
        name: (env[name], os.access(env[name], os.R_OK)) for name in CA_VARIABLES if env.get(name)
    }


def free_disk(root_dir: str) -> int | None:
    """Return the free bytes of the disk with ``root_dir``, a local engine's folder of images.

    None if unknown.
    """
    # On other systems a local socket leads into a virtual machine with its own disk.
    if platform.system() != "Linux" or not root_dir:
        return None
    try:
        return shutil.disk_usage(root_dir).free
    except OSError:
        return None


def ping_registry(host: str, timeout_s: float) -> str:
    """Return why a registry host does not answer over HTTP in ``timeout_s`` seconds.

    "" if it does.
    """
    import requests

    local = host.partition(":")[0] in {"localhost", "127.0.0.1"}
    url = f"{'http' if local else 'https'}://{_SERVED_BY.get(host, host)}/v2/"
    try:
        requests.head(url, timeout=timeout_s, allow_redirects=False)
    except requests.exceptions.SSLError as error:
        return f"TLS: {_root(error)}"
    except requests.exceptions.ProxyError as error:
        return f"proxy: {_root(error)}"
    except requests.exceptions.Timeout:
        return f"no answer within {timeout_s:g} s"
    except (requests.exceptions.RequestException, ValueError) as error:
        return _root(error)
    return ""


def _with_engine(
    find_engine: Callable[[], Engine], images_there: Callable[[Engine], bool]
) -> DoctorFacts:
    try:
        found = find_engine()
        engine: EngineInfo = found.info()
        there = images_there(found)
    except KitError as error:
        return DoctorFacts(
            engine=None,
            engine_problem=error.problem,
            engine_remedy=error.remedy,
            available_memory=psutil.virtual_memory().available,
        )
    return DoctorFacts(
        engine=engine,
        engine_local=engine.local,
        # For another machine the engine reports only the total.
        available_memory=(
            min(psutil.virtual_memory().available, engine.memory_bytes)
            if engine.local and engine.memory_bytes
            else engine.memory_bytes or None
        ),
        free_disk=free_disk(engine.root_dir) if engine.local else None,
        images_there=there,
    )


def _host_of(mirror: str) -> str:
    return urlsplit(mirror).netloc or mirror


def _without_password(value: str) -> str:
    head, at, tail = value.rpartition("@")
    if not at:
        return message_line(value)
    scheme, separator, _ = head.partition("://")
    return message_line(f"{scheme}{separator}***@{tail}" if separator else f"***@{tail}")


def _root(error: BaseException) -> str:
    """Return the innermost reason: the outer ones repeat the URL and internal names."""
    seen: BaseException = error
    for _ in range(8):
        inner = next(
            (
                value
                for value in (*seen.args, getattr(seen, "reason", None), seen.__cause__)
                if isinstance(value, BaseException) and value is not seen
            ),
            None,
        )
        if inner is None:
            break
        seen = inner
    if isinstance(seen, OSError) and seen.strerror:
        return message_line(seen.strerror, 120)
    return message_line(str(seen).rpartition(": ")[2] or type(seen).__name__, 120)
