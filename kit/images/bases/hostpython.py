"""A CPython of the host that can be adopted into a bootstrap base.

It must have the required minor version, a shared libpython and pip's bootstrap
(ensurepip), and need only system libraries that one of the known Debian suites packages.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from kit.engine.connection import message_line
from kit.environment import home, variables
from kit.host.process import run

WANTED = (3, 8)

_QUERY = """
import json, platform, sys, sysconfig
var = sysconfig.get_config_var
print(json.dumps({
    "version": platform.python_version(),
    "minor": list(sys.version_info[:2]),
    "implementation": sys.implementation.name,
    "executable": sys.executable,
    "shared": bool(var("Py_ENABLE_SHARED")),
    "library": var("INSTSONAME") or var("LDLIBRARY"),
    "library_dir": var("LIBDIR"),
    "base_prefix": sys.base_prefix,
    "stdlib": sysconfig.get_path("stdlib"),
}))
"""

# Left out of the copy: tests, caches, tools with a screen, and whatever the
# host has installed next to the standard library.
SKIPPED_FOLDERS = frozenset(
    {"__pycache__", "test", "tests", "idlelib", "tkinter", "turtledemo", "site-packages",
     "dist-packages", "lib2to3", "distutils-packages"}
)  # fmt: skip
SKIPPED_EXTENSIONS = ("_tkinter.",)


@dataclass(frozen=True)
class HostPython:
    """A CPython on the host. ``needs`` are sonames other than its own and glibc's."""

    version: str
    executable: Path
    library: Path
    stdlib: Path
    needs: frozenset[str]
    glibc: tuple[int, int]
    """Newest glibc version that any of its files requires."""


@dataclass(frozen=True)
class Suite:
    """A Debian release: its glibc version, and the package that holds each soname."""

    name: str
    glibc: tuple[int, int]
    packages: Mapping[str, str]


_COMMON = {
    "libbz2.so.1.0": "libbz2-1.0",
    "libcrypt.so.1": "libcrypt1",
    "libexpat.so.1": "libexpat1",
    "liblzma.so.5": "liblzma5",
    "libncursesw.so.6": "libncursesw6",
    "libnsl.so.2": "libnsl2",
    "libpanelw.so.6": "libncursesw6",
    "libsqlite3.so.0": "libsqlite3-0",
    "libtinfo.so.6": "libtinfo6",
    "libuuid.so.1": "libuuid1",
    "libz.so.1": "zlib1g",
}
_UNTIL_2024 = {
    "libdb-5.3.so": "libdb5.3",
    "libgdbm.so.6": "libgdbm6",
    "libgdbm_compat.so.4": "libgdbm-compat4",
    "libreadline.so.8": "libreadline8",
    "libtirpc.so.3": "libtirpc3",
}
# Oldest first: the nearest to the official image (slim-bullseye) wins.
SUITES = (
    Suite(
        "bullseye",
        (2, 31),
        {
            **_COMMON,
            **_UNTIL_2024,
            "libcrypto.so.1.1": "libssl1.1",
            "libffi.so.7": "libffi7",
            "libssl.so.1.1": "libssl1.1",
        },
    ),
    Suite(
        "bookworm",
        (2, 36),
        {
            **_COMMON,
            **_UNTIL_2024,
            "libcrypto.so.3": "libssl3",
            "libffi.so.8": "libffi8",
            "libssl.so.3": "libssl3",
        },
    ),
    Suite(
        "trixie",
        (2, 41),
        {
            **_COMMON,
            **{soname: f"{package}t64" for soname, package in _UNTIL_2024.items()},
            "libcrypto.so.3": "libssl3t64",
            "libffi.so.8": "libffi8",
            "libssl.so.3": "libssl3t64",
        },
    ),
)


def find_host_python() -> tuple[HostPython, Suite] | str:
    """Return the first CPython of the host that a base image can hold, and a suite for it.

    Returns a text, the reason, if there is none.
    """
    reasons = []
    for executable in _candidates(variables(), home()):
        found = inspect(executable)
        if isinstance(found, str):
            reasons.append(f"{executable}: {found}")
            continue
        suite = suite_for(found)
        if isinstance(suite, str):
            reasons.append(f"{executable}: {suite}")
            continue
        return found, suite
    wanted = ".".join(map(str, WANTED))
    return "; ".join(reasons) or f"no CPython {wanted} in pyenv, uv, /usr/bin or PATH"


def suite_for(python: HostPython) -> Suite | str:
    """Return the first suite with every library this CPython needs; else a text why none fits."""
    reasons = []
    for suite in SUITES:
        missing = sorted(python.needs - set(suite.packages))
        if python.glibc > suite.glibc:
            reasons.append(f"{suite.name} has an older glibc")
        elif missing:
            reasons.append(f"{suite.name} lacks {', '.join(missing)}")
        else:
            return suite
    return "fits no Debian suite (" + "; ".join(reasons) + ")"


def packages_for(python: HostPython, suite: Suite) -> tuple[str, ...]:
    """Return the names of the suite's packages that hold the libraries this CPython needs."""
    return tuple(sorted({suite.packages[soname] for soname in python.needs}))


def inspect(executable: Path) -> HostPython | str:
    """Return the facts of the CPython at that path; else a text why it cannot be adopted."""
    done = run([str(executable), "-I", "-c", _QUERY], 20)
    if done.code != 0:
        return f"does not run ({message_line(done.errors or f'exit code {done.code}', 120)})"
    try:
        facts = json.loads(done.output)
        refusal = _refusal(facts)
        if refusal:
            return refusal
        real = Path(facts["executable"]).resolve()
        library = Path(facts["library_dir"]) / facts["library"]
        stdlib = Path(facts["stdlib"])
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except (ValueError, KeyError, TypeError):
        return "does not run: its answer is not that of a Python"
    try:
        needs, glibc = _needs([real, library, *_extensions(stdlib)])
    except (OSError, ELFError) as error:
        return f"has a file that cannot be read as ELF ({error})"
    return HostPython(facts["version"], real, library, stdlib, needs, glibc)


def _refusal(facts: Mapping[str, Any]) -> str:
    """Return why an interpreter with these facts cannot be adopted; "" if it can."""
    if facts["implementation"] != "cpython" or tuple(facts["minor"]) != WANTED:
        return f"is {facts['implementation']} {facts['version']}"
    if not facts["shared"] or not (Path(facts["library_dir"]) / facts["library"]).is_file():
        return "has no shared libpython"
    if not (Path(facts["stdlib"]) / "ensurepip" / "_bundled").is_dir():
        return "has no ensurepip (Debian and Ubuntu: install python3.8-venv)"
    return ""


def _newest_first(paths: Iterable[Path]) -> list[Path]:
    """Sort by the numbers in the paths, descending: 3.8.20 before 3.8.9."""
    return sorted(paths, key=lambda p: [int(n) for n in re.findall(r"\d+", str(p))], reverse=True)


def python_files(python: HostPython) -> Iterator[tuple[Path, str]]:
    """Yield every file of that CPython to copy, and its path below /usr/local, in a fixed order."""
    minor = ".".join(map(str, WANTED))
    yield python.executable, f"bin/python{minor}"
    yield python.library, f"lib/{python.library.name}"
    for folder, folders, names in os.walk(python.stdlib):
        folders[:] = sorted(
            name for name in folders if name not in SKIPPED_FOLDERS and name[:7] != "config-"
        )
        for name in sorted(names):
            path = Path(folder) / name
            if not name.startswith(SKIPPED_EXTENSIONS) and path.is_file():
                yield path, f"lib/python{minor}/{path.relative_to(python.stdlib)}"


def python_links(python: HostPython) -> dict[str, str]:
    """Return the links below /usr/local that the official image also has: path to target."""
    minor = ".".join(map(str, WANTED))
    return {
        "bin/python": f"python{minor}",
        "bin/python3": f"python{minor}",
        f"lib/libpython{minor}.so": python.library.name,
    }


def _candidates(environ: Mapping[str, str], user: Path | None) -> list[Path]:
    minor = ".".join(map(str, WANTED))
    # Without a home folder, use one that cannot have subfolders, so that nothing is found.
    own = Path(os.devnull) if user is None else user
    pyenv = Path(environ.get("PYENV_ROOT") or own / ".pyenv")
    data = Path(environ.get("XDG_DATA_HOME") or own / ".local/share")
    uv = Path(environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv/python")
    found = [
        *_newest_first(_matches(pyenv, f"versions/{minor}.*/bin/python{minor}")),
        *_newest_first(_matches(uv, f"cpython-{minor}*/bin/python{minor}")),
        Path(f"/usr/bin/python{minor}"),
    ]
    on_path = shutil.which(f"python{minor}", path=environ.get("PATH"))
    if on_path:
        found.append(Path(on_path))
    seen: dict[Path, Path] = {}
    for path in found:
        if os.path.exists(path):  # noqa: PTH110  # no error where the folder is another user's
            seen.setdefault(path.resolve(), path)
    return list(seen.values())


def _matches(folder: Path, pattern: str) -> list[Path]:
    """Return the matches below a folder; none if it cannot be read."""
    try:
        return list(folder.glob(pattern))
    except (OSError, ValueError):
        return []


def _extensions(stdlib: Path) -> Iterable[Path]:
    return (
        path
        for path in sorted((stdlib / "lib-dynload").glob("*.so"))
        if not path.name.startswith(SKIPPED_EXTENSIONS)
    )


def _needs(files: Iterable[Path]) -> tuple[frozenset[str], tuple[int, int]]:
    """Return the external sonames and the newest glibc version that these ELF files need."""
    names: set[str] = set()
    glibc = (0, 0)
    for file in files:
        with file.open("rb") as stream:
            for section in ELFFile(stream).iter_sections():
                if isinstance(section, DynamicSection):
                    names |= {str(vars(tag)["needed"]) for tag in section.iter_tags("DT_NEEDED")}
                elif isinstance(section, GNUVerNeedSection):
                    for _library, versions in section.iter_versions():
                        glibc = max([glibc, *(_glibc(version.name) for version in versions)])
    return frozenset(name for name in names if not _own(name)), glibc


def _own(soname: str) -> bool:
    glibc = ("libc.", "libm.", "libdl.", "libpthread.", "librt.", "libutil.", "libresolv.", "ld-")
    return soname.startswith((*glibc, "libpython", "libgcc_s."))


def _glibc(version: str) -> tuple[int, int]:
    if not version.startswith("GLIBC_2."):
        return (0, 0)
    return (2, int(version.split(".")[1]))
