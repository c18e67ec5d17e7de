"""The NuGet road: packages restored from a folder, and the recorded hashes enforced.

The packages are stand-ins of a few bytes with the real ones' names and versions:
what is tested is the restore, not what is inside.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from kit.engine.docker import DockerEngine
from kit.engine.protocol import BuildRequest, ImageInfo, LineSink
from kit.errors import ImageError
from kit.host.network import read_network
from kit.images.build.arms import Builder, BuildOptions
from kit.images.build.recipe import Context, Tools, recipes
from kit.images.inspect.content import read_content
from kit.pins.load import pins_document, shipped_pins
from kit.study.load import shipped_study

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1200), pytest.mark.usefixtures("built")]
TAG = "kit-test/restore:1"
FRAMEWORK = "netcoreapp3.1"
LOCK = f"locks/packages.{FRAMEWORK}.lock.json"
DEPENDS = {"Keras.NET": "Numpy.Bare", "Numpy.Bare": "pythonnet_netstandard_py38_win"}
VERSIONS = {package["name"]: package["version"] for package in pins_document()["nuget"]}


def nupkg(name: str, content: str = "") -> bytes:
    """A package: its description and one empty file for netstandard2.0."""
    needs = DEPENDS.get(name)
    dependency = f'<dependency id="{needs}" version="{VERSIONS[needs]}" />' if needs else ""
    nuspec = (
        '<?xml version="1.0"?><package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd">'
        f"<metadata><id>{name}</id><version>{VERSIONS[name]}</version><authors>a</authors>"
        f"<description>stand-in {content}</description><dependencies>"
        f'<group targetFramework=".NETStandard2.0">{dependency}</group></dependencies>'
        "</metadata></package>"
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(f"{name}.nuspec", nuspec)
        archive.writestr("lib/netstandard2.0/_._", "")
    return stream.getvalue()


@pytest.fixture(scope="module")
def bases(engine: DockerEngine) -> tuple[str, str]:
    builder = Builder(
        Tools(engine, shipped_pins(), read_network(), lambda _line: None), BuildOptions()
    )
    made = builder.build(shipped_study(), ("python-cpu", "dotnet-cpu")).bases
    if made["dotnet-sdk"].provides["framework"] != FRAMEWORK:
        pytest.skip("the SDK here is the exact one; the stand-ins are for the substitute")
    return made["python"].image, made["dotnet-sdk"].image


def restore(
    engine: DockerEngine,
    bases: tuple[str, str],
    feed: Mapping[str, bytes],
    lock: bytes | None = None,
) -> ImageInfo:
    context = stand_ins(feed)
    if lock is not None:
        context.add_bytes(lock, LOCK)
    return build(engine, bases, context, "restore")


def stand_ins(feed: Mapping[str, bytes], skip: tuple[str, ...] = ()) -> Context:
    """The recipe's context with that feed as its folder of packages."""
    context = Context()
    folder = recipes() / "dotnet"
    left_out = {path.name for pattern in skip for path in folder.glob(pattern)}
    context.add_folder(folder, skip=tuple(left_out))
    read_network().add_to(context)
    for name, content in feed.items():
        context.add_bytes(content, f"packages/{name}.{VERSIONS[name]}.nupkg")
    context.add_bytes(b"", "packages/.keep")
    return context


def build(
    engine: DockerEngine,
    bases: tuple[str, str],
    context: Context,
    target: str,
    on_line: LineSink = lambda _line: None,
) -> ImageInfo:
    with context.tar() as stream:
        request = BuildRequest(
            context=stream,
            dockerfile="Dockerfile",
            tag=TAG,
            args={
                "PYTHON_BASE": bases[0],
                "PYTHON_IMAGE": bases[0],
                "SDK_IMAGE": bases[1],
                "RUNTIME_IMAGE": bases[1],
                "BINDING": "KerasNet",
                "TARGET_FRAMEWORK": FRAMEWORK,
                "NUGET_SOURCE": "packages",
            },
            target=target,
        )
        return engine.build(request, on_line)


def test_the_executable_is_restored_without_a_lock_and_falls_back_for_want_of_a_runtime_pack(
    engine: DockerEngine, bases: tuple[str, str]
) -> None:
    context = stand_ins({name: nupkg(name) for name in VERSIONS}, skip=("*.cs",))
    context.add_bytes(b"class Program { static void Main() { } }", "Program.cs")
    lines: list[str] = []
    try:
        image = build(engine, bases, context, "published", lines.append)
        kind = "executable/KIND"
        kept = read_content(engine, image.id, lambda place: place == kind).kept
        assert kept[kind] == b"apphost\n"
    finally:
        engine.remove_image(TAG)
    said = "\n".join(lines)
    assert "NU1005" not in said
    assert re.search(r"NU1101: .*Microsoft\.NETCore\.App\.Runtime", said)


def test_a_program_that_does_not_compile_is_told_in_the_compilers_words(
    engine: DockerEngine, bases: tuple[str, str]
) -> None:
    context = stand_ins({name: nupkg(name) for name in VERSIONS}, skip=("*.cs",))
    context.add_bytes(b"class Program { static void Main() { none(); } }", "Program.cs")
    with pytest.raises(ImageError, match="error CS0103"):
        build(engine, bases, context, "published")


def lock_of(engine: DockerEngine, image: ImageInfo) -> bytes:
    path = "src/packages.lock.json"
    return read_content(engine, image.id, lambda place: place == path).kept[path]


def test_the_restore_honours_the_folder_and_the_hashes_once_recorded(
    engine: DockerEngine, bases: tuple[str, str]
) -> None:
    feed = {name: nupkg(name) for name in VERSIONS}
    try:
        lock = lock_of(engine, restore(engine, bases, feed))
        (packages,) = json.loads(lock)["dependencies"].values()
        assert set(packages) == set(VERSIONS)
        assert all(package["contentHash"] for package in packages.values())

        restore(engine, bases, feed, lock)

        changed = {**feed, "Keras.NET": nupkg("Keras.NET", "changed")}
        with pytest.raises(ImageError, match=r"NU1403.*Keras\.NET"):
            restore(engine, bases, changed, lock)

        without = {name: content for name, content in feed.items() if name != "Numpy.Bare"}
        with pytest.raises(ImageError, match=r"NU1101.*Numpy\.Bare"):
            restore(engine, bases, without)
    finally:
        engine.remove_image(TAG)


def test_no_lock_is_shipped_whose_packages_nobody_had() -> None:
    shipped = sorted(Path(recipes() / "dotnet" / "locks").glob("*.json"))
    recorded = {
        framework for package in pins_document()["nuget"] for framework in package["content_hash"]
    }
    assert {path.name for path in shipped} == {f"packages.{name}.lock.json" for name in recorded}
