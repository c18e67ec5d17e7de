"""The document and feed of the last loaded bundle, kept in the user's data folder."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

import kit
from kit.errors import HostError, InputError
from kit.files.write import write_whole
from kit.images.bundle.archive import DOCUMENT
from kit.images.bundle.bases import Bundle
from kit.images.bundle.document import FEED, Document, dumps, loads

_FEEDS = "nuget-*"


def keep(document: Document, feed: Path, data: Path) -> None:
    """Store the document, and its NuGet packages if it has any, in place of an earlier one.

    Raises HostError when the folder cannot be written.
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
    write_whole(data / DOCUMENT, text)
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


def _feed(text: bytes, data: Path) -> Path:
    return data / _FEEDS.replace("*", hashlib.sha256(text).hexdigest()[:16])
