"""Loading a bundle: check everything first, then load all of it or nothing.

The document and the feed of the last loaded bundle are kept in the user's data folder.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from rich.filesize import decimal

import kit
from kit.engine.protocol import Engine, ImageInfo
from kit.errors import HostError, ImageError, InputError, KitError
from kit.files.write import write_atomic
from kit.images.bundle import archive
from kit.images.bundle.archive import DOCUMENT
from kit.images.bundle.document import FEED, Bundle, Document, dumps, loads, platform
from kit.images.bundle.save import kit_files

Say = Callable[[str], None]
_FEEDS = "nuget-*"


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


def load_bundle(engine: Engine, file: Path, data: Path, say: Say) -> Document:
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


def keep(document: Document, feed: Path, data: Path) -> None:
    """Store a bundle's document, and its NuGet packages if any, in place of an earlier one's.

    ``feed`` is the folder with the packages, ``data`` the user's folder for loaded bundles. Raises
    HostError when the folder cannot be written.
    """
    text = dumps(document)
    try:
        data.mkdir(parents=True, exist_ok=True)
        feed_dir = _feed(text, data)
        if document.nuget_source == FEED and not feed_dir.is_dir():
            # Renamed when complete, so that a folder of that name has every package.
            part = Path(tempfile.mkdtemp(prefix="feed-", suffix=".part", dir=data))
            try:
                shutil.copytree(feed, part, dirs_exist_ok=True)
                part.rename(feed_dir)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise HostError(
            f"{data}: cannot be written ({error.strerror})", "free disk space, or set XDG_DATA_HOME"
        ) from error
    write_atomic(data / DOCUMENT, text)
    for other in data.glob(_FEEDS):
        if other != feed_dir:
            shutil.rmtree(other, ignore_errors=True)


def loaded(data: Path | None) -> Bundle | None:
    """Return the bundle that this version of the kit loaded last; None if there is none.

    ``data`` is None for a user without a data folder. Raises InputError if the stored document
    or feed is damaged.
    """
    if data is None:
        return None
    path = data / DOCUMENT
    remedy = f"load the bundle again, or remove {path}"
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})", remedy) from error
    try:
        document = loads(text, str(path))
    except InputError as error:
        raise InputError(error.problem, remedy) from error
    if document.kit_version != kit.__version__:
        return None
    source = document.nuget_source
    if source == FEED:
        feed_dir = _feed(text, data)
        if not feed_dir.is_dir():
            raise InputError(f"{feed_dir}: the loaded bundle's packages are gone", remedy)
        source = str(feed_dir)
    return Bundle(document.created, document.bases, source)


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


def _feed(text: bytes, data: Path) -> Path:
    return data / _FEEDS.replace("*", hashlib.sha256(text).hexdigest()[:16])
