"""Loading a bundle: check everything first, then load all of it or nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from rich.filesize import decimal

import kit
from kit.engine.protocol import Engine, ImageInfo
from kit.errors import HostError, ImageError, InputError, KitError
from kit.images.bundle import archive
from kit.images.bundle.document import Document, loads, platform
from kit.images.bundle.save import kit_files
from kit.images.bundle.store import keep

Say = Callable[[str], None]


def load(engine: Engine, file: Path, data: Path, say: Say) -> Document:
    """Load a bundle's images into the engine and keep its document and feed in ``data``.

    Raises InputError for a damaged file and for a bundle of another kit or architecture,
    before it touches the engine's store; HostError or ImageError if the load fails, after
    removing what was loaded.
    """
    with tempfile.TemporaryDirectory(prefix="kit-") as scratch:
        say(f"checking {file}")
        contents = _read(file, Path(scratch))
        document = loads(contents.texts[archive.DOCUMENT], f"{file}: {archive.DOCUMENT}")
        _refuse_other_kit(document, contents, file)
        _refuse_other_architecture(document, engine, file)
        bring = _Bring(engine, document)
        try:
            if bring.missing():
                say("loading the images into the engine")
                bring.load(contents.images)
            bring.name()
            keep(document, contents.feed, data)
        except BaseException:
            say("not loaded: what came of it is removed again")
            bring.undo()
            raise
    return document


class _Bring:
    """A load of images into the engine that can be undone.

    The archive holds images without names. They get their names after all of them proved to
    be the recorded ones, so that a partial load is never used.
    """

    def __init__(self, engine: Engine, document: Document) -> None:
        self._engine = engine
        self._document = document
        self._came: list[ImageInfo] = []
        self._before = {i.id for i in document.images if engine.find_image(i.id) is not None}
        self._names = {
            name: engine.find_image(name) for i in document.images for name in i.references
        }

    def missing(self) -> bool:
        return len(self._before) < len(self._document.images)

    def load(self, images: Path) -> None:
        self._came = list(self._engine.load(images))
        wanted = {image.id for image in self._document.images}
        got = {image.id for image in self._came}
        if got != wanted:
            odd = ", ".join(sorted(image_id[:19] for image_id in got ^ wanted))
            raise ImageError(
                f"the engine's images are not the bundle's: {odd} on one side only",
                "use an engine of the kind that made the bundle (image ids differ between stores)",
            )

    def name(self) -> None:
        for image in self._document.images:
            for reference in image.references:
                self._engine.tag(image.id, reference)

    def undo(self) -> None:
        """Remove the loaded images and restore names, as far as the engine is reachable."""
        with suppress(KitError):
            for name, earlier in self._names.items():
                if earlier is not None:
                    self._engine.tag(earlier.id, name)
            recorded = (self._engine.find_image(image.id) for image in self._document.images)
            # An unexpected image with a name was in the store before: the archive has no names.
            odd = (image for image in self._came if not image.tags)
            brought = {i.id: i for i in (*recorded, *odd) if i and i.id not in self._before}
            # Images with more layers first: engines keep an image that another is built on.
            for image in sorted(brought.values(), key=lambda image: -len(image.layers)):
                self._engine.remove_image(image.id)


def _read(file: Path, scratch: Path) -> archive.Contents:
    try:
        needed, free = file.stat().st_size, shutil.disk_usage(scratch).free
        if free < needed:
            raise HostError(
                f"disk: checking {file} needs {decimal(needed)} in {scratch.parent}, "
                f"{decimal(free)} are free",
                "free disk space there, or let TMPDIR name a larger place",
            )
        return archive.read(file, scratch)
    except OSError as error:
        where = error.filename or file
        raise HostError(
            f"{where}: cannot be read or written ({error.strerror})",
            "check the file and the disk, or let TMPDIR name a larger place",
        ) from error


def _refuse_other_kit(document: Document, contents: archive.Contents, file: Path) -> None:
    remedy = "install the kit that is in the bundle's wheels/ (its README.txt says how)"
    if document.kit_version != kit.__version__:
        raise InputError(
            f"{file}: made by kit {document.kit_version}, this is kit {kit.__version__}", remedy
        )
    for name, content in kit_files().items():
        if contents.texts[name] != content:
            raise InputError(f"{file}: its {name} is not that of this kit", remedy)


def _refuse_other_architecture(document: Document, engine: Engine, file: Path) -> None:
    here = platform(engine.info().architecture)
    if document.architecture != here:
        raise InputError(
            f"{file}: made for {document.architecture}, the engine runs {here}",
            "make a bundle on a machine of this architecture",
        )
