"""The host's network settings that builds need: proxies, CA bundle, package indexes.

They reach builder stages only: as the builder's predefined proxy arguments,
which leave no trace in an image, and as files under host/ in the context,
which no final stage copies.
"""

from __future__ import annotations

import configparser
import io
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kit.engine.connection import message_line
from kit.environment import home, variables
from kit.errors import InputError
from kit.files.plain import read_named
from kit.host.process import run

CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE")
_CA_BYTES = 10_000_000
"""Maximum of a CA bundle; a system's has 250 kB."""
PROXY_VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "ftp_proxy", "all_proxy")
PIP_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "timeout", "retries")


class Context(Protocol):
    """An interface to a build context (the files of an image build) that files are added to."""

    def add_bytes(self, content: bytes, path_in_context: str) -> None:
        """Add a file with that content at that path to the build context."""


@dataclass(frozen=True)
class HostNetwork:
    """The network settings of this host, in the form that image builds take."""

    proxy_args: Mapping[str, str]
    ca_bundle: bytes
    pip_conf: str
    npmrc: str

    def add_to(self, context: Context) -> None:
        """Add the settings as files under host/ to a build context."""
        context.add_bytes(self.ca_bundle, "host/ca.crt")
        context.add_bytes(self.pip_conf.encode(), "host/pip.conf")
        context.add_bytes(self.npmrc.encode(), "host/npmrc")


def read_network(environ: Mapping[str, str] | None = None) -> HostNetwork:
    """Return the host's network settings, from its environment variables and pip's settings.

    ``environ`` None: the kit's variables in this process. Raises InputError when a CA variable's
    file cannot be read.
    """
    environ = variables() if environ is None else environ
    return HostNetwork(
        proxy_args=_proxies(environ),
        ca_bundle=_ca_bundle(environ),
        pip_conf=_pip_conf(environ, _pip_config_list()),
        npmrc=_npmrc(environ),
    )


def pip_index(environ: Mapping[str, str] | None = None) -> str:
    """Return the URL of the package index in pip's settings here; empty for pip's default.

    ``environ`` None: the variables of this process.
    """
    environ = variables() if environ is None else environ
    parser = configparser.RawConfigParser()
    parser.read_string(_pip_conf(environ, _pip_config_list()))
    return parser.get("global", "index-url", fallback="")


def _proxies(environ: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for name in PROXY_VARIABLES:
        value = environ.get(name) or environ.get(name.upper())
        if value:
            found[name] = value
            found[name.upper()] = value
    return found


def _ca_bundle(environ: Mapping[str, str]) -> bytes:
    for name in CA_VARIABLES:
        if environ.get(name):
            try:
                return read_named(Path(environ[name]), _CA_BYTES)
            except (OSError, ValueError) as error:
                reason = message_line(getattr(error, "strerror", None) or error)
                raise InputError(
                    f"{name} names {environ[name]}, which cannot be read ({reason})",
                    f"point {name} at the CA bundle, or unset it",
                ) from error
            except InputError as error:
                raise InputError(
                    f"{name}: {error.problem}", f"point {name} at the CA bundle, or unset it"
                ) from error
    return b""


def _pip_config_list() -> str:
    """Return the lines of the driver's pip settings; empty where it has no pip."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    done = run(command, 20)
    return done.output if done.code == 0 else ""


def _pip_conf(environ: Mapping[str, str], listed: str) -> str:
    """Return a pip.conf with the index settings that apply inside a build.

    ``listed`` is the output of ``pip config list``, lines "section.key='value'" with the
    environment as section ":env:". ``environ`` takes precedence, as it does for pip itself.
    """
    values: dict[str, str] = {}
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if section in ("global", "install", ":env:") and name in PIP_SETTINGS:
            values[name] = value.strip("'\"").replace("\\n", " ")
    for name in PIP_SETTINGS:
        variable = "PIP_" + name.upper().replace("-", "_")
        if environ.get(variable):
            values[name] = environ[variable]
    for name in ("index-url", "extra-index-url"):
        # A build cannot see a folder of the host.
        kept = [url for url in values.get(name, "").split() if not url.startswith("file:")]
        values[name] = "\n".join(kept)
    parser = configparser.RawConfigParser()
    parser["global"] = {name: value for name, value in values.items() if value}
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()


def _npmrc(environ: Mapping[str, str]) -> str:
    registry = environ.get("npm_config_registry") or environ.get("NPM_CONFIG_REGISTRY")
    if registry:
        return f"registry={registry}\n"
    user = Path(environ["HOME"]) if "HOME" in environ else home()
    lines = _lines(user / ".npmrc") if user is not None else []
    return "".join(f"{line}\n" for line in lines if line.replace(" ", "").startswith("registry="))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
