"""Making a bundle: the images, and the parts of the kit that an offline machine needs.

These include the kit's own wheel and those of its dependencies.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.util
import io
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import Distribution, distribution
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from rich.filesize import decimal

import kit
from kit.engine.connection import message_line
from kit.engine.protocol import Engine, ImageInfo
from kit.errors import HostError, ImageError
from kit.files.write import fresh_file
from kit.host.process import run
from kit.images.build.arms import Images
from kit.images.build.recipe import OWN, RECIPE_LABEL, checkout, reference_of
from kit.images.bundle.archive import DOCUMENT, Writer
from kit.images.bundle.document import FEED, Document, Member, dumps, platform
from kit.study.folder import CLAIMS, STUDY
from kit.study.load import shipped_folder

_STEP_BYTES = 250_000_000
_SMALL_BYTES = 200_000_000
"""Disk space for everything but the images: mostly the wheels of the dependencies."""
TIMEOUT_S = 600
# Files that an installer adds to those of a wheel.
_INSTALLERS = frozenset({"INSTALLER", "REQUESTED", "direct_url.json", "RECORD"})
_EPOCH = (1980, 1, 1, 0, 0, 0)


def kit_files() -> dict[str, bytes]:
    """Return the pins and the study that ship with the kit, by their names in a bundle."""
    found = {"pins.yaml": (files("kit.pins") / "pins.yaml").read_bytes()}
    return found | {name: (shipped_folder() / name).read_bytes() for name in (STUDY, CLAIMS)}


def save_bundle(
    engine: Engine,
    images: Images,
    nuget_source: str,
    file: Path,
    now: datetime,
    say: Callable[[str], None],
) -> Document:
    """Write one archive with those images, and return its document.

    ``nuget_source`` is the folder or address of the packages, or empty. The file is written
    completely or not at all. Raises HostError, ImageError.
    """
    members = _members(engine, images)
    document = Document(
        kit_version=kit.__version__,
        created=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        architecture=platform(engine.info().architecture),
        images=tuple(members.values()),
        arms={arm: image.image_id for arm, image in images.arms.items()},
        bases=images.bases,
        nuget_source=FEED if nuget_source and "://" not in nuget_source else nuget_source,
    )
    try:
        _check_room(engine, tuple(members), file.parent)
        with tempfile.TemporaryDirectory(prefix="kit-") as scratch:
            say("wheels of the kit and its dependencies")
            own = kit_wheel(Path(scratch))
            add_dependencies(own, Path(scratch), say)
            folders = {
                "wheels": sorted(Path(scratch).glob("*.whl")),
                FEED: sorted(Path(nuget_source).glob("*.nupkg"))
                if document.nuget_source == FEED
                else [],
            }
            with fresh_file(file) as stream:
                _write(stream, document, folders, engine, say)
    except OSError as error:
        raise HostError(
            f"{file}: cannot be written ({error.strerror or error})",
            "free disk space or choose a writable place",
        ) from error
    return document


def distinct_bytes(images: Sequence[ImageInfo]) -> int:
    """Return the bytes of these images, counting layers below another of them only once."""
    total = 0
    for image in images:
        below = [
            other.size_bytes
            for other in images
            if len(other.layers) < len(image.layers)
            and image.layers[: len(other.layers)] == other.layers
        ]
        total += image.size_bytes - max(below, default=0)
    return total


def readme(document: Document, dependencies: bool) -> bytes:
    """Return README.txt, for users who open the bundle.

    ``dependencies``: whether the bundle has the wheels of the kit's dependencies too.
    """
    arms = ", ".join(sorted(document.arms))
    interpreter = f"{sys.version_info.major}.{sys.version_info.minor}"
    without = (
        f"The wheels are for CPython {interpreter} on Linux {document.architecture}."
        if dependencies
        else "It holds the kit's wheel alone: what the kit needs has to be installed already."
    )
    return f"""A bundle of kit {document.kit_version}, made {document.created}.

It holds the images of {arms} with their bases, for {document.architecture} engines.
To use it on a machine without network, FILE being the bundle:

    mkdir unpacked && tar -xf FILE -C unpacked
    (cd unpacked && sha256sum -c SHA256SUMS)
    pip install --no-index --find-links unpacked/wheels kit
    kit bundle load FILE
    kit reproduce

{without}
bundle.json says what each image is for. images.tar.gz is a docker archive: the
images have ids and no names in it; `kit bundle load` names them once all are checked.
""".encode()


def kit_wheel(folder: Path) -> Path:
    """Write the wheel of the running kit to that folder; return its path.

    Builds it from a checkout; packs an installed kit from the files that its wheel installed.
    Raises HostError.
    """
    root = checkout()
    return packed(distribution("kit"), folder) if root is None else _built(root, folder)


def add_dependencies(wheel: Path, folder: Path, say: Callable[[str], None]) -> None:
    """Download the wheels of that wheel's dependencies, for this interpreter, to ``folder``.

    If that fails, reports it to ``say`` and leaves only the kit's own wheel there.
    """
    problem = _pip(["download", "--only-binary", ":all:", "--dest", str(folder), str(wheel)])
    if problem:
        for path in folder.glob("*.whl"):
            if path.name != wheel.name:
                path.unlink()
        say(f"the bundle holds no wheels of the kit's dependencies: {problem}")


def packed(installed: Distribution, folder: Path) -> Path:
    """Pack an installed distribution as a wheel; return its path. Raises HostError."""
    name = f"{installed.metadata['Name']}-{installed.version}"
    target = folder / f"{name}-py3-none-any.whl"
    info = f"{name}.dist-info"
    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        # Not installed.files: since Python 3.12 it leaves out missing files.
        recorded = csv.reader((installed.read_text("RECORD") or "").splitlines())
        for file in sorted(PurePosixPath(row[0]) for row in recorded if row):
            # ../ leads to the scripts, which every install generates.
            if ".." in file.parts or "__pycache__" in file.parts or file.name in _INSTALLERS:
                continue
            path = Path(str(installed.locate_file(file)))
            try:
                content = path.read_bytes()
            except OSError as error:
                raise HostError(
                    f"the installed kit lacks {path} ({error.strerror})", "install the kit again"
                ) from error
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
            rows.writerow((str(file), f"sha256={digest.decode()}", len(content)))
            _add(archive, str(file), content, bool(path.stat().st_mode & 0o100))
        rows.writerow((f"{info}/RECORD", "", ""))
        _add(archive, f"{info}/RECORD", record.getvalue().encode(), executable=False)
    return target


def _write(
    stream: BinaryIO,
    document: Document,
    folders: Mapping[str, Sequence[Path]],
    engine: Engine,
    say: Callable[[str], None],
) -> None:
    writer = Writer(stream)
    writer.add_bytes(DOCUMENT, dumps(document))
    writer.add_bytes("README.txt", readme(document, len(folders["wheels"]) > 1))
    for name, content in kit_files().items():
        writer.add_bytes(name, content)
    for folder, paths in folders.items():
        for path in paths:
            writer.add_file(f"{folder}/{path.name}", path)
    reported = 0

    def on_written(size: int) -> None:
        nonlocal reported
        if size >= reported + _STEP_BYTES:
            reported = size
            say(f"images: {decimal(size)} read from the engine")

    say("images: waiting for the engine")
    with writer.images(on_written) as sink:
        engine.save([image.id for image in document.images], sink)
    writer.finish()


def _members(engine: Engine, images: Images) -> dict[str, Member]:
    """Return every image by its id, bases before the images built on them."""
    wanted = {base.image: f"bundled-{role}" for role, base in images.bases.items()}
    wanted |= {image.image_id: f"bundled-{arm}" for arm, image in images.arms.items()}
    if images.executable is not None:
        wanted[images.executable.image_id] = "bundled-executable"
    found: dict[str, Member] = {}
    for image_id, name in wanted.items():
        image = engine.find_image(image_id)
        if image is None:
            raise ImageError(f"{image_id} is not in the engine any more", "repeat the command")
        # The builder finds an image by its name, so the bundle keeps all names from the kit.
        own = [tag for tag in image.tags if tag.startswith(OWN)]
        references = tuple(sorted(own)) or (reference_of(name),)
        recipe = image.labels.get(RECIPE_LABEL, "")
        found[image_id] = Member(image_id, references, recipe, image.size_bytes)
    return found


def _check_room(engine: Engine, image_ids: tuple[str, ...], folder: Path) -> None:
    """Raise HostError if the disk lacks space, before minutes of writing.

    Assumes that gzip halves the images.
    """
    found = [image for image in map(engine.find_image, image_ids) if image is not None]
    needed = distinct_bytes(found) // 2 + _SMALL_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise HostError(
            f"disk: the bundle needs about {decimal(needed)}, {decimal(free)} are free in {folder}",
            "free disk space there, or choose another place for the file",
        )


def _add(archive: zipfile.ZipFile, name: str, content: bytes, executable: bool) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.external_attr = (0o100755 if executable else 0o100644) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)


def _built(root: Path, folder: Path) -> Path:
    # If the build backend is installed, pip need not download it.
    isolation = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    problem = _pip(["wheel", "--no-deps", *isolation, "--wheel-dir", str(folder), str(root)])
    if problem:
        raise HostError(
            f"the kit's own wheel cannot be built from {root}: {problem}",
            "pip install hatchling, or run a kit that was installed from a wheel",
        )
    return next(folder.glob("kit-*.whl"))


def _pip(arguments: Sequence[str]) -> str:
    """Run pip; return its errors in one line, "" if it succeeded."""
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = run(command, TIMEOUT_S)
    if done.code == 0:
        return ""
    errors = [line for line in done.errors.splitlines() if line.startswith("ERROR:")]
    return message_line(" ".join(errors or done.errors.splitlines()[-3:]), 300)
