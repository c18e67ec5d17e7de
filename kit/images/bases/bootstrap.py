"""Substitute bases, for machines that reach no image registry.

The Python base is a Debian root file system with the host's CPython 3.8, or Debian's
CPython if the host has none to adopt. The SDK base is that base with .NET Core SDK 3.1
from its npm package.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kit.engine.protocol import ImageInfo
from kit.errors import ImageError
from kit.images.bases.hostpython import (
    HostPython,
    Suite,
    find_host_python,
    packages_for,
    python_files,
    python_links,
)
from kit.images.bases.rootfs import debian_files, debian_rootfs
from kit.images.build.context import Context, recipes
from kit.images.build.recipe import Recipe, build_recipe, find_built
from kit.images.names import OWN, PYTHON
from kit.images.tools import Tools

# node needs libatomic1; the official image has ca-certificates and netbase.
BASE_PACKAGES = ("ca-certificates", "libatomic1", "netbase")
BARE_PACKAGES = ("libgcc-s1", "libstdc++6", "zlib1g")
"""Packages with the libraries that a .NET program links to."""
OPENSSL = ("libssl.so.1.1", "libcrypto.so.1.1")


@dataclass(frozen=True)
class PythonBase:
    """A base with CPython and pip. ``lock`` names the wheel locks that fit it."""

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
        """Return the Python base. Raises HostError or ImageError."""
        with self._lock_of("python"):
            if self._python is None:
                found = find_host_python()
                if isinstance(found, str):
                    self._python = self._debian_python(found)
                else:
                    self._python = self._adopted_python(*found)
            return self._python

    def bare(self) -> ImageInfo:
        """Return a Debian without any Python. Raises HostError or ImageError.

        With an adopted CPython, this is the root file system below it, without Python.
        """
        found = find_host_python()
        if isinstance(found, str):
            return self._rootfs(self._tools.pins.fallback_suite, (*BASE_PACKAGES, *BARE_PACKAGES))
        python, suite = found
        return self._rootfs(suite.name, (*BASE_PACKAGES, *packages_for(python, suite)))

    def sdk(self) -> tuple[ImageInfo, Mapping[str, str]]:
        """Return the SDK base and the versions it provides. Raises HostError or ImageError."""
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
            extra=("openssl from", self._openssl_suite(base)),
            undigested=("host/", "openssl/"),
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
            why="no registry image could be had; the host's own CPython was adopted",
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
            why=f"no registry image could be had, and no CPython to adopt: {reason}",
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
            debian_rootfs(suite, packages, tar)
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
        debian_files(suite, ["libssl1.1"], scratch / "openssl")
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
