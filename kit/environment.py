"""The environment of this process: every variable that kit reads, and its allowed values.

No other module reads it. ``settle`` corrects, once and before a command begins, what libraries
read by themselves: it unsets values that no library could use, and variables that would change
what kit writes.
"""

from __future__ import annotations

import os
import pwd
import shutil
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from kit.errors import InputError

MIN_COLUMNS, MAX_COLUMNS = 20, 1000


@dataclass(frozen=True)
class Variable:
    """An environment variable that kit, or a library for it, reads, and its allowed values."""

    name: str
    use: str
    values: str


def _each(names: str, use: str, values: str) -> tuple[Variable, ...]:
    return tuple(Variable(name, use, values) for name in names.split())


_FOLDER = "an absolute path; anything else counts as unset"
_SIZE = f"a whole number from {MIN_COLUMNS} to {MAX_COLUMNS}; anything else counts as unset"
_LINES = f"a whole number from 1 to {MAX_COLUMNS}; anything else counts as unset"
_PROXY = "URL of a proxy"
_BUNDLE = "file of PEM certificates; exit code 2 if it cannot be read"
_ANY = "any"

VARIABLES: tuple[Variable, ...] = (
    Variable("KIT_DEBUG", "show where an unexpected failure arose",
             "not empty: yes"),
    Variable("KIT_MIRROR", "mirrors to query for base images, see `--mirror`",
             "`HOST[:PORT][/PREFIX]`, separated by commas; exit code 2 for anything else"),
    Variable("DOCKER_HOST", "the engine", "`unix://`, `tcp://` or `ssh://` URL"),
    Variable("DOCKER_CONTEXT", "the engine, by the name of a docker context", "a context's name"),
    Variable("DOCKER_TLS_VERIFY", "TLS to the engine of `DOCKER_HOST`", "not empty: yes"),
    Variable("DOCKER_CERT_PATH", "certificates for `DOCKER_TLS_VERIFY`",
             "folder with `ca.pem`, `cert.pem` and `key.pem`"),
    Variable("DOCKER_CONFIG", "contexts and credentials of docker", "folder"),
    Variable("XDG_RUNTIME_DIR", "sockets of rootless engines", _FOLDER),
    *_each("http_proxy https_proxy no_proxy ftp_proxy all_proxy",
           "proxies for builds and downloads", _PROXY),
    *_each("HTTP_PROXY HTTPS_PROXY NO_PROXY FTP_PROXY ALL_PROXY",
           "the same, where the lower-case name is not set", _PROXY),
    *_each("SSL_CERT_FILE REQUESTS_CA_BUNDLE PIP_CERT CURL_CA_BUNDLE",
           "certificates that builds and downloads trust; the first that is set", _BUNDLE),
    *_each("PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST PIP_TIMEOUT PIP_RETRIES",
           "settings of pip in builds", "as pip reads them"),
    *_each("npm_config_registry NPM_CONFIG_REGISTRY",
           "registry of npm in builds; the first that is set", "URL"),
    *_each("PYENV_ROOT UV_PYTHON_INSTALL_DIR", "where to look for a CPython to build from",
           "folder"),
    Variable("NETRC", "credentials for downloads", "file"),
    Variable("PATH", "where to look for programs", "folders, separated by colons"),
    Variable("HOME", "the user's folder; unset: the one that the system names for the user",
             _FOLDER),
    Variable("XDG_CACHE_HOME", "descriptions of images that were read", _FOLDER),
    Variable("XDG_DATA_HOME", "the loaded bundle; CPythons of uv", _FOLDER),
    Variable("XDG_STATE_HOME", "log and process id of an engine that `kit setup` started",
             _FOLDER),
    Variable("MPLCONFIGDIR", "matplotlib's list of fonts; its settings are not read", _FOLDER),
    *_each("TMPDIR TEMP TMP", "temporary files; the first that can be written", "folder"),
    Variable("GITHUB_ACTIONS", "annotations for a workflow of GitHub Actions", "`true`: yes"),
    Variable("GITHUB_STEP_SUMMARY", "the summary of a workflow's step", "file to append to"),
    Variable("COLUMNS", "width of the terminal", _SIZE),
    Variable("LINES", "height of the terminal", _LINES),
    *_each("NO_COLOR FORCE_COLOR TERM COLORTERM", "colours on a terminal", _ANY),
)  # fmt: skip
"""Every variable that kit reads."""

NAMES = frozenset(variable.name for variable in VARIABLES)
CACHE_OF_FONTS = "MPLCONFIGDIR"
FOLDERS = tuple(variable.name for variable in VARIABLES if variable.values is _FOLDER)
DROPPED = ("MPL", "MATPLOTLIB", "NPY_", "NUMPY_", "SCIPY_", "SOURCE_DATE_EPOCH")
"""Prefixes of variables to unset: they would change numbers or plots, or stop a library.

A Jupyter kernel sets MPLBACKEND for its children to a module that need not be installed here,
and NumPy and matplotlib read SOURCE_DATE_EPOCH.
"""


def variables() -> Mapping[str, str]:
    """Return the environment variables that kit reads and that are set, by name."""
    return MappingProxyType({name: os.environ[name] for name in NAMES if name in os.environ})


def for_program(changes: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a program that kit starts: this process's, with ``changes``."""
    return {**os.environ, **changes}


def settle(environ: MutableMapping[str, str] | None = None) -> None:
    """Unset the variables of ``DROPPED``, and those with values that libraries could not use.

    ``environ`` None: this process's environment. rich, platformdirs and docker read their
    variables by themselves. A relative folder counts as unset, as the XDG Base Directory
    Specification requires.
    """
    environ = os.environ if environ is None else environ
    for name in [name for name in environ if name.startswith(DROPPED)]:
        if name != CACHE_OF_FONTS:
            del environ[name]
    # Otherwise matplotlib reads a matplotlibrc in the user's folder, and fails if it is broken.
    environ["MATPLOTLIBRC"] = os.devnull
    # So that an empty value means the same to every library.
    for name in NAMES:
        if environ.get(name) == "":
            del environ[name]
    for name in FOLDERS:
        if name in environ and not Path(environ[name]).is_absolute():
            del environ[name]
    for name, least in (("COLUMNS", MIN_COLUMNS), ("LINES", 1)):
        if name in environ and not _is_number(environ[name], least, MAX_COLUMNS):
            del environ[name]


def load_matplotlib() -> None:
    """Import matplotlib in ``/``: it would read a matplotlibrc in the working folder."""
    if "matplotlib" in sys.modules:
        return
    try:
        here = os.open(".", os.O_RDONLY)
    except OSError:
        return
    os.chdir("/")
    try:
        import matplotlib  # noqa: F401
    finally:
        os.fchdir(here)
        os.close(here)


def terminal_width(otherwise: int) -> int:
    """Return the number of columns of the terminal; ``otherwise`` if it is unknown."""
    return shutil.get_terminal_size((otherwise, 24)).columns


def home() -> Path | None:
    """Return the user's folder; None where neither HOME nor the system names one."""
    named = os.environ.get("HOME", "")
    if not Path(named).is_absolute():
        try:
            named = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            return None
    return Path(named) if Path(named).is_absolute() else None


def cache_folder() -> Path | None:
    """Return the user's folder for data that can be read again; None where none is named."""
    import platformdirs

    return platformdirs.user_cache_path("kit") if _has_folder("XDG_CACHE_HOME") else None


def data_folder() -> Path | None:
    """Return the user's folder for loaded bundles; None where none is named."""
    import platformdirs

    return platformdirs.user_data_path("kit") if _has_folder("XDG_DATA_HOME") else None


def state_folder() -> Path:
    """Return the user's folder for data that must outlive a command. Raises InputError."""
    import platformdirs

    if not _has_folder("XDG_STATE_HOME"):
        raise homeless("XDG_STATE_HOME")
    return platformdirs.user_state_path("kit")


def build_log() -> Path | None:
    """Return the file that holds all output of the last image builds; None without a home."""
    try:
        return state_folder() / "build.log"
    except InputError:
        return None


def homeless(variable: str) -> InputError:
    """Return the error for a user without a home folder; setting ``variable`` is the remedy."""
    return InputError(
        f"HOME: not set, and user {os.getuid()} has no entry in the system's list of users",
        f"set HOME or {variable} to a folder that you can write to",
    )


def _has_folder(variable: str) -> bool:
    return Path(os.environ.get(variable, "")).is_absolute() or home() is not None


def _is_number(text: str, least: int, most: int) -> bool:
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    return digits and least <= int(text) <= most
