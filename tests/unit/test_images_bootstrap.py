"""Substitute bases on a scripted engine: what goes in, what is made only once."""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from fakes.engine import FakeEngine

from kit.engine.protocol import BuildRequest, ImageInfo, LineSink
from kit.errors import ImageError
from kit.host.network import HostNetwork
from kit.images.bases import bootstrap
from kit.images.bases.bootstrap import Bootstrap
from kit.images.bases.hostpython import SUITES, HostPython, Suite
from kit.images.build.recipe import Tools
from kit.pins.load import shipped_pins

PINS = shipped_pins()
NET = HostNetwork({}, b"CA", "", "")
BULLSEYE, BOOKWORM = SUITES[0], SUITES[1]


@dataclass
class Engine(FakeEngine):
    """Keeps members and links of each build's context, by tag without version."""

    contexts: dict[str, dict[str, str]] = field(default_factory=dict)

    def build(self, request: BuildRequest, on_line: LineSink) -> ImageInfo:
        with tarfile.open(fileobj=request.context) as archive:
            tag = request.tag.rpartition(":")[0]
            self.contexts[tag] = {m.name: m.linkname for m in archive.getmembers()}
        return super().build(request, on_line)


@dataclass
class Runtime:
    """The host's side: which CPython it has, what was asked of Debian."""

    python: HostPython
    suite: Suite = BULLSEYE
    none: str = ""
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    tools: int = 0
    said: list[str] = field(default_factory=list)
    openssl: tuple[str, ...] = ("libssl.so.1.1", "libcrypto.so.1.1")

    def find(self) -> tuple[HostPython, Suite] | str:
        return self.none or (self.python, self.suite)

    def rootfs(self, suite: str, packages: Sequence[str], tar: Path) -> None:
        self.asked.append((suite, tuple(packages)))
        tar.write_bytes(b"rootfs")

    def files(self, suite: str, packages: Sequence[str], folder: Path) -> None:
        self.asked.append((suite, tuple(packages)))
        (folder / "usr/lib").mkdir(parents=True)
        for library in self.openssl:
            (folder / "usr/lib" / library).write_bytes(b"elf")

    def ensure_tools(self) -> None:
        self.tools += 1


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    stdlib = tmp_path / "lib"
    stdlib.mkdir()
    for path in (tmp_path / "python3.8", tmp_path / "libpython3.8.so.1.0", stdlib / "os.py"):
        path.write_bytes(b"x")
    needs = frozenset({"libz.so.1", "liblzma.so.5"})
    made = Runtime(
        HostPython(
            "3.8.18", tmp_path / "python3.8", tmp_path / "libpython3.8.so.1.0", stdlib, needs,
            (2, 17),
        )
    )  # fmt: skip
    monkeypatch.setattr(bootstrap, "find_host_python", made.find)
    monkeypatch.setattr(bootstrap, "write_debian_rootfs", made.rootfs)
    monkeypatch.setattr(bootstrap, "unpack_debian_packages", made.files)
    return made


def start(engine: Engine, runtime: Runtime) -> Bootstrap:
    return Bootstrap(Tools(engine, PINS, NET, runtime.said.append), runtime.ensure_tools)


def test_an_adopted_python_is_put_where_the_official_image_has_it(runtime: Runtime) -> None:
    engine = Engine()
    base = start(engine, runtime).python()
    assert (base.python, base.os, base.lock) == ("3.8.18", "Debian bullseye", "cp38")
    assert "CPython of the host" in base.why
    context = engine.contexts["kit/base-python"]
    assert {"python/bin/python3.8", "python/lib/python3.8/os.py"} <= set(context)
    assert context["python/bin/python3"] == "python3.8"
    assert context["python/lib/libpython3.8.so"] == "libpython3.8.so.1.0"
    (rootfs,) = engine.named("import_rootfs")
    assert engine.named("build")[0].args["ROOTFS"] == engine.images[rootfs[1]].id


def test_debian_holds_what_the_adopted_python_needs(runtime: Runtime) -> None:
    start(Engine(), runtime).python()
    ((suite, packages),) = runtime.asked
    assert suite == "bullseye"
    assert {"zlib1g", "liblzma5", "ca-certificates"} <= set(packages)
    assert not any(package.startswith("python3") for package in packages)


def test_no_python_to_adopt_takes_debians_own(runtime: Runtime) -> None:
    runtime.none = "no CPython in PATH"
    engine = Engine()
    base = start(engine, runtime).python()
    assert (base.python, base.os, base.lock) == ("3.9", "Debian bullseye", "cp39")
    assert "no CPython in PATH" in base.why
    assert any("no CPython in PATH" in line for line in runtime.said)
    ((suite, packages),) = runtime.asked
    assert suite == "bullseye" and {"python3", "libpython3.9"} <= set(packages)
    assert "launcher.c" in engine.contexts["kit/base-python"]


def test_a_base_is_made_once(runtime: Runtime) -> None:
    engine = Engine()
    made = start(engine, runtime)
    assert made.python() is made.python()
    made.sdk()
    again = start(engine, runtime)
    again.python()
    again.sdk()
    assert len(runtime.asked) == len(engine.named("import_rootfs")) == 1
    assert len(engine.named("build")) == 2
    assert runtime.tools == 1


def test_other_needs_make_another_rootfs(runtime: Runtime) -> None:
    engine = Engine()
    start(engine, runtime).python()
    runtime.python = replace(runtime.python, needs=frozenset({"libz.so.1"}))
    start(engine, runtime).python()
    assert len({reference for _, reference, _ in engine.named("import_rootfs")}) == 2


def test_an_sdk_is_pinned_by_its_tarballs_hash(runtime: Runtime) -> None:
    engine = Engine()
    image, provides = start(engine, runtime).sdk()
    request = engine.named("build")[-1]
    assert image.tags[0].startswith("kit/base-dotnet-sdk:")
    assert request.args["SDK_SHA512"] == PINS.sdk.sha512
    assert request.args["SDK_PACKAGE"] == PINS.sdk.package
    assert provides == PINS.sdk.provides
    context = engine.contexts["kit/base-dotnet-sdk"]
    assert {"pip.txt", "npm.txt", "host/ca.crt", "sdk.Dockerfile"} <= set(context)


def test_a_bullseye_base_has_its_own_openssl(runtime: Runtime) -> None:
    engine = Engine()
    start(engine, runtime).sdk()
    assert len(runtime.asked) == 1
    openssl = {p for p in engine.contexts["kit/base-dotnet-sdk"] if p.startswith("openssl/")}
    assert openssl == {"openssl/.keep"}


def test_a_newer_base_gets_openssl_from_bullseye_once(runtime: Runtime) -> None:
    runtime.suite = BOOKWORM
    engine = Engine()
    start(engine, runtime).sdk()
    assert runtime.asked[-1] == ("bullseye", ("libssl1.1",))
    context = engine.contexts["kit/base-dotnet-sdk"]
    assert {"openssl/libssl.so.1.1", "openssl/libcrypto.so.1.1"} <= set(context)
    start(engine, runtime).sdk()
    assert len(runtime.asked) == 2 and len(engine.named("build")) == 2
    assert runtime.tools == 2


def test_openssl_without_its_libraries_is_named(runtime: Runtime) -> None:
    runtime.suite, runtime.openssl = BOOKWORM, ("libssl.so.1.1",)
    with pytest.raises(ImageError, match=r"holds no libcrypto\.so\.1\.1"):
        start(Engine(), runtime).sdk()
