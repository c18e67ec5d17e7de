"""Substitute bases, for machines that reach no image registry.

The Python base is a Debian root file system, made by mmdebstrap, with the host's CPython 3.8,
or Debian's CPython if the host has none to adopt. The SDK base is that base with .NET Core
SDK 3.1 from its npm package.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kit.engine.protocol import ImageInfo
from kit.environment import for_program
from kit.errors import HostError, ImageError
from kit.host.process import SCRATCH_REMEDY as REMEDY
from kit.host.process import scratch_problem
from kit.images.bases.hostpython import (
    HostPython,
    Suite,
    find_host_python,
    packages_for,
    python_files,
    python_links,
)
from kit.images.build.recipe import (
    OWN,
    PYTHON,
    Context,
    Recipe,
    Tools,
    build_recipe,
    find_built,
    recipes,
)
from kit.together import ended_by

# node needs libatomic1; the official image has ca-certificates and netbase.
BASE_PACKAGES = ("ca-certificates", "libatomic1", "netbase")
BARE_PACKAGES = ("libgcc-s1", "libstdc++6", "zlib1g")
"""Packages with the libraries that a .NET program links to."""
OPENSSL = ("libssl.so.1.1", "libcrypto.so.1.1")
# Fixed, so that the tar's times do not depend on the day it was made.
EPOCH = "1640995200"
TIMEOUT_S = 900
END_TIMEOUT_S = 4
_OPTIONS = (
    "--mode=auto",
    '--aptopt=Acquire::Languages "none"',
    "--dpkgopt=force-unsafe-io",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
)


@dataclass(frozen=True)
class PythonBase:
    """A base image with CPython and pip. ``lock`` names the wheel locks that fit it."""

    image: ImageInfo
    python: str
    os: str
    lock: str
    why: str
    """Reason for its Python's origin, for the fidelity table."""
    details: tuple[str, ...] = ()
    exact: bool = False


class Bootstrap:
    """Builder of substitute bases, each once; it reuses unchanged ones from the store.

    Threads may request different bases concurrently: the first thread makes what they share,
    the others wait.
    """

    def __init__(self, tools: Tools, ensure_tools: Callable[[], None]) -> None:
        self._tools = tools
        self._ensure_tools = ensure_tools
        self._python: PythonBase | None = None
        self._locks: dict[str, threading.Lock] = {}

    def python(self) -> PythonBase:
        """Return the base image with CPython; make it if needed. Raises HostError or ImageError."""
        with self._lock_of("python"):
            if self._python is None:
                found = find_host_python()
                if isinstance(found, str):
                    self._python = self._debian_python(found)
                else:
                    self._python = self._adopted_python(*found)
            return self._python

    def bare(self) -> ImageInfo:
        """Return the image of a Debian without Python; make it if needed.

        With an adopted CPython, this is the root file system below it. Raises HostError or
        ImageError.
        """
        found = find_host_python()
        if isinstance(found, str):
            return self._rootfs(self._tools.pins.fallback_suite, (*BASE_PACKAGES, *BARE_PACKAGES))
        python, suite = found
        return self._rootfs(suite.name, (*BASE_PACKAGES, *packages_for(python, suite)))

    def sdk(self) -> tuple[ImageInfo, Mapping[str, str]]:
        """Return the base image with the .NET SDK, and the versions it provides by component.

        Makes it if needed. Raises HostError or ImageError.
        """
        base = self.python()
        context = self._context("host", "npm.txt", "sdk.Dockerfile")
        context.add_file(recipes() / PYTHON / "pip.txt", "pip.txt")
        self._tools.net.add_to(context)
        recipe = Recipe(
            name="base-dotnet-sdk",
            context=context,
            dockerfile="sdk.Dockerfile",
            args={
                "PYTHON_BASE": base.image.id,
                "SDK_PACKAGE": self._tools.pins.sdk.package,
                "SDK_SHA512": self._tools.pins.sdk.sha512,
            },
            digest_salt=("openssl from", self._openssl_suite(base)),
            excluded_from_digest=("host/", "openssl/"),
        )
        with tempfile.TemporaryDirectory(prefix="kit-") as scratch:
            if find_built(self._tools.engine, recipe) is None:
                self._add_openssl(context, base, Path(scratch))
            image = build_recipe(self._tools, recipe)
        return image, self._tools.pins.sdk.provides

    def _adopted_python(self, python: HostPython, suite: Suite) -> PythonBase:
        packages = (*BASE_PACKAGES, *packages_for(python, suite))
        rootfs = self._rootfs(suite.name, packages)
        context = self._context("python.Dockerfile")
        for path, target in python_files(python):
            context.add_file(path, f"python/{target}")
        context.add_links(python_links(python), "python/")
        recipe = Recipe("base-python", context, "python.Dockerfile", {"ROOTFS": rootfs.id})
        return PythonBase(
            image=build_recipe(self._tools, recipe),
            python=python.version,
            os=f"Debian {suite.name}",
            lock="cp38",
            why="no registry image available; kit used the CPython of the host",
        )

    def _debian_python(self, reason: str) -> PythonBase:
        suite, minor = self._tools.pins.fallback_suite, self._tools.pins.fallback_python
        self._tools.say(f"no CPython to adopt ({reason}); using Debian {suite}'s own {minor}")
        packages = (*BASE_PACKAGES, "python3", f"libpython{minor}", "python3-pip", "libssl1.1")
        rootfs = self._rootfs(suite, packages)
        dockerfile = "debian-python.Dockerfile"
        recipe = Recipe(
            "base-python",
            self._context(dockerfile, "launcher.c"),
            dockerfile,
            {"ROOTFS": rootfs.id, "MINOR": minor},
        )
        return PythonBase(
            image=build_recipe(self._tools, recipe),
            python=minor,
            os=f"Debian {suite}",
            lock="cp" + minor.replace(".", ""),
            why=f"no registry image and no CPython of the host available: {reason}",
        )

    def _rootfs(self, suite: str, packages: tuple[str, ...]) -> ImageInfo:
        content = " ".join((suite, *sorted(packages)))
        digest = hashlib.sha256(content.encode()).hexdigest()[:12]
        reference = f"{OWN}rootfs:{suite}-{digest}"
        with self._lock_of(reference):
            return self._tools.engine.find_image(reference) or self._make_rootfs(
                suite, packages, reference
            )

    def _make_rootfs(self, suite: str, packages: tuple[str, ...], reference: str) -> ImageInfo:
        self._need_tools()
        self._tools.say(f"making a Debian {suite} root file system")
        with tempfile.TemporaryDirectory(prefix="kit-") as scratch:
            tar = Path(scratch) / "rootfs.tar"
            write_debian_rootfs(suite, packages, tar)
            return self._tools.engine.import_rootfs(tar, reference, ['CMD ["bash"]'])

    def _openssl_suite(self, base: PythonBase) -> str:
        suite = self._tools.pins.fallback_suite
        return "the base" if base.os.endswith(suite) else suite

    def _add_openssl(self, context: Context, base: PythonBase, scratch: Path) -> None:
        context.add_bytes(b"", "openssl/.keep")
        suite = self._openssl_suite(base)
        if suite == "the base":
            return
        self._need_tools()
        self._tools.say(f"taking libssl1.1 from Debian {suite}")
        unpack_debian_packages(suite, ["libssl1.1"], scratch / "openssl")
        for name in OPENSSL:
            found = sorted((scratch / "openssl").rglob(name))
            if not found:
                raise ImageError(
                    f"Debian {suite}'s libssl1.1 holds no {name}",
                    "report this: the package's layout changed",
                )
            context.add_file(found[0], f"openssl/{name}")

    def _need_tools(self) -> None:
        with self._lock_of("tools"):
            self._ensure_tools()

    def _lock_of(self, name: str) -> threading.Lock:
        """Return the lock that a thread holds while it makes the object of that name."""
        return self._locks.setdefault(name, threading.Lock())

    def _context(self, *names: str) -> Context:
        context = Context()
        for name in names:
            path = recipes() / "bootstrap" / name
            if path.is_dir():
                context.add_folder(path, f"{name}/")
            else:
                context.add_file(path, name)
        return context


def write_debian_rootfs(suite: str, packages: Sequence[str], tar: Path) -> None:
    """Write a root file system of a minimal Debian of that suite with the packages, as a tar.

    Raises HostError when mmdebstrap is missing, ImageError when it fails.
    """
    _mmdebstrap(["--variant=minbase", f"--include={','.join(packages)}"], suite, tar)


def unpack_debian_packages(suite: str, packages: Sequence[str], folder: Path) -> None:
    """Unpack the files of Debian packages of that suite below a folder, without configuration.

    Raises as ``write_debian_rootfs`` does.
    """
    _mmdebstrap(["--variant=extract", f"--include={','.join(packages)}"], suite, folder)


def _mmdebstrap(options: Sequence[str], suite: str, target: Path) -> None:
    program = shutil.which("mmdebstrap")
    if program is None:
        raise HostError(
            "mmdebstrap is not installed and no registry gave the base images",
            "run `kit reproduce --install-engine` (`kit setup` where no registry answers), or "
            "install it",
        )
    problem = scratch_problem()
    if problem:
        raise HostError(problem, REMEDY)
    command = [program, *_OPTIONS, *options, suite, str(target)]
    environ = for_program({"SOURCE_DATE_EPOCH": EPOCH, "LC_ALL": "C.UTF-8"})
    # A new process group, so that an interrupt can also end the children.
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", env=environ, start_new_session=True,
    )  # fmt: skip
    try:
        with ended_by(lambda: _end(process)):
            output, _ = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        _end(process)
        raise ImageError(
            f"Debian {suite} could not be made within {TIMEOUT_S} s",
            "check how fast Debian's package archive answers",
        ) from None
    except BaseException:
        _end(process)
        raise
    if process.returncode != 0:
        wrong = [line for line in output.splitlines() if line.startswith(("E:", "W:"))]
        reason = "; ".join(wrong[:3]) or (output.splitlines() or ["no output"])[-1]
        raise ImageError(
            f"Debian {suite} could not be made: {reason}",
            "check that Debian's package archive is reachable (proxy, sources of apt)",
        )


def _end(process: subprocess.Popen[str]) -> None:
    """End the process and its children: SIGTERM first, so that it can unmount, then SIGKILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            process.wait(END_TIMEOUT_S)
            return
        except subprocess.TimeoutExpired:
            continue
