"""Collects the facts of this machine for the doctor's checks, without changing anything."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from kit.engine.discover import discover
from kit.engine.failures import one_line
from kit.engine.protocol import Engine, EngineInfo
from kit.environment import variables
from kit.errors import KitError
from kit.host.doctor.checks import Facts
from kit.host.doctor.reach import Reacher, reachability
from kit.host.gpu.probe import NvmlProbe, Probe
from kit.host.interference import governors
from kit.host.network import CA_VARIABLES, PROXY_VARIABLES
from kit.host.process import run
from kit.host.scratch import scratch_problem

DOCKER_HUB = "docker.io"
_NVIDIA = Path("/proc/driver/nvidia/version")


def find_facts(
    sources: Mapping[str, Sequence[str]],
    find_python: Callable[[], str | None],
    *,
    find_engine: Callable[[], Engine] = discover,
    images_there: Callable[[Engine], bool] = lambda _: False,
    env: Mapping[str, str] | None = None,
    reach: Reacher = reachability,
    probe: Probe | None = None,
) -> Facts:
    """Return all facts; takes a few seconds at most. A missing engine is a fact, not an error.

    ``sources`` maps a base image's role to the registries (host, or host:port) that may have
    it; the engine's own mirrors are added where one of them is Docker Hub.
    ``find_python`` returns the path of a CPython 3.8 with a shared library, ``images_there``
    whether an engine has the images of all arms.
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
    """Return the NVIDIA driver's version; None where there is no driver."""
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
    return one_line(lines[0]) if done.code == 0 and lines else None


def proxies(env: Mapping[str, str]) -> dict[str, str]:
    """Return the proxy variables that are set, in either case, without users and passwords."""
    names = [name for name in env if name.lower() in PROXY_VARIABLES and env[name]]
    return {name: _without_password(env[name]) for name in sorted(names)}


def ca_files(env: Mapping[str, str]) -> dict[str, tuple[str, bool]]:
    """Return the CA variables that are set: each one's file (or folder), and if it is readable."""
    return {
        name: (env[name], os.access(env[name], os.R_OK)) for name in CA_VARIABLES if env.get(name)
    }


def free_disk(root_dir: str) -> int | None:
    """Return the free bytes where a local engine keeps its images; None if unknown."""
    # On other systems a local socket leads into a virtual machine with its own disk.
    if platform.system() != "Linux" or not root_dir:
        return None
    try:
        return shutil.disk_usage(root_dir).free
    except OSError:
        return None


def _with_engine(
    find_engine: Callable[[], Engine], images_there: Callable[[Engine], bool]
) -> Facts:
    try:
        found = find_engine()
        engine: EngineInfo = found.info()
        there = images_there(found)
    except KitError as error:
        return Facts(
            engine=None,
            engine_problem=error.problem,
            engine_remedy=error.remedy,
            available_memory=psutil.virtual_memory().available,
        )
    return Facts(
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
        return one_line(value)
    scheme, separator, _ = head.partition("://")
    return one_line(f"{scheme}{separator}***@{tail}" if separator else f"***@{tail}")
