"""Debian packages: their names on this system, and their installation by apt.

Package lists are refreshed only if needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kit.engine.connection import message_line
from kit.errors import HostError
from kit.host.facts import parse_os_release
from kit.host.process import CommandResult
from kit.host.setup.machine import Machine

OS_RELEASE = Path("/etc/os-release")
_INSTALL = {
    "debian": "apt-get update && apt-get install --no-install-recommends docker.io iptables",
    "fedora": "dnf install moby-engine && systemctl start docker",
    "arch": "pacman -S docker && systemctl start docker",
    "suse": "zypper install docker && systemctl start docker",
    "alpine": "apk add docker && rc-service docker start",
}
_FAMILY = {
    "debian": "debian",
    "ubuntu": "debian",
    "fedora": "fedora",
    "rhel": "fedora",
    "centos": "fedora",
    "arch": "arch",
    "suse": "suse",
    "opensuse": "suse",
    "alpine": "alpine",
}
MACOS_REMEDY = "install Docker Desktop, Colima or Podman and start it, then repeat"
OTHER_REMEDY = "install Docker (package docker or docker-ce) or Podman and start it, then repeat"
Say = Callable[[str], None]
_UPDATE_TIMEOUT_S = 300
_INSTALL_TIMEOUT_S = 900
# Another apt may be running, as on a machine that has just been started.
_WAIT_FOR_LOCK = "DPkg::Lock::Timeout=120"
_ENV = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
# Where there is no init to run services, maintainer scripts must not start any:
# kit starts dockerd itself and has to record that it did.
_NO_SERVICES = {"RUNLEVEL": "1"}


@dataclass(frozen=True)
class Distro:
    """An operating system: its name, its id, and the family of its packages ("" if unknown)."""

    name: str
    id: str
    family: str


def distro_of(machine: Machine) -> Distro:
    """Return the operating system, by its kernel and /etc/os-release."""
    kernel = machine.system()
    if kernel != "Linux":
        return Distro("macOS" if kernel == "Darwin" else kernel, kernel.lower(), "")
    fields = parse_os_release(machine.read(OS_RELEASE) or "")
    own = fields.get("ID", "linux")
    families = [_family(name) for name in (own, *fields.get("ID_LIKE", "").split())]
    family = next((found for found in families if found), "")
    return Distro(fields.get("PRETTY_NAME", own), own, family)


def install_remedy(distro: Distro, is_root: bool) -> str:
    """Return one line: the remedy for a missing engine on that system."""
    if distro.id == "darwin":
        return MACOS_REMEDY
    command = _INSTALL.get(distro.family)
    if command is None:
        return OTHER_REMEDY
    if distro.family == "debian" and not is_root:
        return (
            "run `sudo kit setup` (or with the full path of kit), or: "
            f"{_sudo(command)}; then add yourself to the group docker"
        )
    return f"run: {command if is_root else _sudo(command)}"


def install(machine: Machine, packages: Sequence[str], say: Say, *, services: bool) -> None:
    """Install Debian packages by apt. ``services``: their scripts may start services.

    Raises HostError with apt's reason.
    """
    env = _ENV if services else {**_ENV, **_NO_SERVICES}
    if not all(_is_known(machine, package) for package in packages):
        _update(machine, say)
    say(f"installing {' '.join(packages)}")
    done = _apt(machine, ["install", "--no-install-recommends", "-y", *packages], env)
    if done.code != 0 and _lists_are_stale(done.output):
        _update(machine, say)
        done = _apt(machine, ["install", "--no-install-recommends", "-y", *packages], env)
    if done.code != 0:
        raise HostError(
            f"installing {' '.join(packages)} failed: {reason(done.output)}",
            f"solve that, then run: apt-get install {' '.join(packages)}",
        )


def is_installed(machine: Machine, package: str) -> bool:
    """Return whether dpkg has that package installed and configured on the machine."""
    done = machine.run(["dpkg-query", "-W", "-f=${Status}", package], 30, _ENV)
    return done.code == 0 and done.output.strip() == "install ok installed"


def reason(output: str) -> str:
    """Return the errors in apt's output, else its last lines, as one line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("E:", "dpkg: error", "Err:"))]
    return message_line("; ".join(errors[-3:] or lines[-3:]) or "no output")


def _family(name: str) -> str:
    return _FAMILY.get(name) or _FAMILY.get(name.split("-", maxsplit=1)[0], "")


def _sudo(command: str) -> str:
    return " && ".join(f"sudo {part}" for part in command.split(" && "))


def _update(machine: Machine, say: Say) -> None:
    say("refreshing the package lists")
    done = machine.run(["apt-get", "-o", _WAIT_FOR_LOCK, "update"], _UPDATE_TIMEOUT_S, _ENV)
    if done.code != 0:
        raise HostError(
            f"the package lists could not be refreshed: {reason(done.output)}",
            "check the network, the proxy and /etc/apt, then repeat",
        )


def _apt(machine: Machine, arguments: Sequence[str], env: dict[str, str]) -> CommandResult:
    return machine.run(["apt-get", "-o", _WAIT_FOR_LOCK, *arguments], _INSTALL_TIMEOUT_S, env)


def _is_known(machine: Machine, package: str) -> bool:
    done = machine.run(["apt-cache", "policy", package], 60, _ENV)
    candidates = [line for line in done.output.splitlines() if "Candidate:" in line]
    return bool(candidates) and "(none)" not in candidates[0]


def _lists_are_stale(output: str) -> bool:
    return any(
        sign in output for sign in ("404", "Unable to fetch", "Failed to fetch", "Unable to locate")
    )
