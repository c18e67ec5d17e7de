"""The machine's operating system, and the command that installs an engine there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kit.host.os_release import parse_os_release
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


def _family(name: str) -> str:
    return _FAMILY.get(name) or _FAMILY.get(name.split("-", maxsplit=1)[0], "")


def _sudo(command: str) -> str:
    return " && ".join(f"sudo {part}" for part in command.split(" && "))
