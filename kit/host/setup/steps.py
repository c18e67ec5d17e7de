"""The steps of ``kit setup``: find an engine, else install and start one; or end it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from kit.engine.discover import discover
from kit.engine.protocol import Engine
from kit.errors import HostError
from kit.host.setup import apt, daemon
from kit.host.setup.apt import Say, distro_of, install_remedy
from kit.host.setup.machine import Machine, RealMachine

Finder = Callable[[], Engine]
"""A function that returns an engine that answers, or raises HostError."""
SYSTEMD = Path("/run/systemd/system")
_SYSTEMD_TIMEOUT_S = 120


def setup(
    say: Say,
    *,
    stop: bool = False,
    machine: Machine | None = None,
    find: Finder = discover,
) -> None:
    """Make a container engine answer; with ``stop``, end the one that kit started.

    Both are idempotent. ``say`` gets a line per step. Raises HostError where kit cannot do it; its
    remedy then tells the user what to do.
    """
    machine = RealMachine() if machine is None else machine
    if stop:
        _stop(machine, say)
        return
    try:
        say(f"an engine answers at {find().info().endpoint}: nothing to do")
        return
    except HostError as error:
        missing = error
    if machine.env("DOCKER_HOST") or machine.env("DOCKER_CONTEXT"):
        # kit would not use another engine here while that variable is set.
        raise HostError(
            f"{missing.problem}; nothing was installed here, because the environment names"
            " that engine",
            missing.remedy,
        ) from missing
    _refuse_where_unable(machine, missing)
    _install_engine(machine, say)
    if not _answers(find):
        _start_engine(machine, find, say)
    say(f"an engine answers at {find().info().endpoint}")


def ensure_bootstrap_tools(say: Say, *, machine: Machine | None = None) -> None:
    """Install mmdebstrap, and on Ubuntu Debian's archive keys, if missing. Raises HostError."""
    machine = RealMachine() if machine is None else machine
    distro = distro_of(machine)
    missing = [] if machine.which("mmdebstrap") else ["mmdebstrap"]
    # Debian itself always has its own keys.
    keys = "debian-archive-keyring"
    if distro.family == "debian" and distro.id != "debian" and not apt.is_installed(machine, keys):
        missing.append(keys)
    if not missing:
        return
    command = f"apt-get install --no-install-recommends {' '.join(missing)}"
    if distro.family != "debian":
        raise HostError(
            f"a substitute base needs {' and '.join(missing)}, which {distro.name} may not have",
            "make the image registries reachable (`kit doctor`), or install mmdebstrap by hand",
        )
    if not machine.is_root():
        raise HostError(f"a substitute base needs {' and '.join(missing)}", f"run: sudo {command}")
    apt.install(machine, missing, say, services=True)


def _refuse_where_unable(machine: Machine, missing: HostError) -> None:
    distro = distro_of(machine)
    if distro.family != "debian":
        why = f"setup installs on Debian and Ubuntu only, and this is {distro.name}"
    elif not machine.is_root():
        why = "only root can install and start one"
    else:
        return
    raise HostError(f"{missing.problem}; {why}", install_remedy(distro, machine.is_root()))


def _install_engine(machine: Machine, say: Say) -> None:
    # dockerd without iptables ends at once.
    wanted = {"dockerd": "docker.io", "iptables": "iptables"}
    packages = [package for program, package in wanted.items() if not machine.which(program)]
    if packages:
        apt.install(machine, packages, say, services=machine.exists(SYSTEMD))


def _start_engine(machine: Machine, find: Finder, say: Say) -> None:
    if not machine.exists(SYSTEMD):
        daemon.start(machine, lambda: _answers(find), say)
        return
    say("starting docker by systemd")
    done = machine.run(["systemctl", "start", "docker"], _SYSTEMD_TIMEOUT_S, {})
    if done.code != 0:
        log = machine.run(["journalctl", "-u", "docker", "-n", "40", "--no-pager"], 30, {})
        raise HostError(
            f"systemd could not start docker: {daemon.why_it_failed(log.output or done.output)}",
            "see `journalctl -u docker`, solve what it says, then repeat",
        )
    machine.write(daemon.record_path(machine), json.dumps({"method": "systemd"}))


def _stop(machine: Machine, say: Say) -> None:
    method, process = daemon.recorded(machine)
    if method == "systemd":
        # The socket would start the service again at the next request.
        units = ["docker.service", "docker.socket"]
        done = machine.run(["systemctl", "stop", *units], _SYSTEMD_TIMEOUT_S, {})
        if done.code != 0:
            raise HostError(
                f"systemd could not stop docker: {apt.reason(done.output)}",
                "run: systemctl stop docker.service docker.socket",
            )
        say("stopped docker by systemd")
    elif process is not None and daemon.end(machine, process):
        say(f"ended dockerd (pid {process.pid})")
    else:
        say("no engine that kit started is running: nothing to do")
    machine.remove(daemon.record_path(machine))


def _answers(find: Finder) -> bool:
    try:
        find()
    except HostError:
        return False
    return True
