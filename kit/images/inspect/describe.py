"""The description of an image for reports: its content digest, its inventory, its SBOM.

Reading a gigabyte takes seconds, so descriptions are cached by image id. An id identifies
its content, so entries never expire. Verification does not use the cache.

The inventory is from installers' records and the image's files. The bill is CycloneDX 1.5 JSON
without a time or a random number, so that the same image gives the same bytes; its serial
number is derived from the content digest.
"""

from __future__ import annotations

import json
import re
import uuid
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from typing import TYPE_CHECKING

from kit.engine.protocol import Engine
from kit.environment import cache_folder
from kit.errors import HostError
from kit.files.documents import read_json
from kit.files.write import write_atomic
from kit.host.facts import parse_os_release
from kit.images.inspect.content import Content, ContentEntry, read_content

if TYPE_CHECKING:
    from cyclonedx.model.component import Component
    from packageurl import PackageURL


FORMAT = 1
"""Version of cache entries; increase it when the digest or the inventory changes."""
DPKG = "var/lib/dpkg/status"
OS_RELEASE = ("etc/os-release", "usr/lib/os-release")
DATA = "opt/kit/data/"
_METADATA = re.compile(r".*\.dist-info/METADATA")
_DEPS = re.compile(r"opt/kit/dotnet/[^/]+\.deps\.json")
_RUNTIME = re.compile(r"usr/share/dotnet/shared/([^/]+)/([^/]+)")
_LIBPYTHON = re.compile(r"usr/local/lib/libpython(3\.\d+)\.so\.1\.0")
_PASS = "utf-8", "surrogatepass"
_PURL_TYPES = {"deb": "deb", "pypi": "pypi", "nuget": "nuget", "runtime": "generic"}


@dataclass(frozen=True)
class Description:
    """The content digest (sha256, hex) of an image, and the software and data in it."""

    content_sha256: str
    parts: tuple[Part, ...]


class DescriptionCache:
    """A folder with one file per image. If it is unusable or None, images are read again."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, image_id: str) -> Description | None:
        """Return the description of that image; None if it is not cached or damaged."""
        if self._folder is None:
            return None
        try:
            document = json.loads(self._path(self._folder, image_id).read_text(encoding="utf-8"))
            parts = parts_from(document["parts"])
            return Description(str(document["content_sha256"]), parts)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, image_id: str, found: Description) -> None:
        """Store the description of that image; do nothing if that is not possible."""
        if self._folder is None:
            return
        document = {
            "content_sha256": found.content_sha256,
            "parts": parts_document(found.parts),
        }
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path(self._folder, image_id), (json.dumps(document) + "\n").encode())
        except (HostError, OSError):
            return

    @staticmethod
    def _path(folder: Path, image_id: str) -> Path:
        return folder / f"{image_id.removeprefix('sha256:')}-{FORMAT}.json"


@dataclass(frozen=True)
class Part:
    """One piece of software or data in an image. ``kind``: deb, pypi, nuget, runtime or data.

    ``sha256`` is that of its file if it is one file; "" for an unpacked package.
    """

    kind: str
    name: str
    version: str
    arch: str = ""
    distro: str = ""
    licence: str = ""
    sha256: str = ""


def user_cache() -> DescriptionCache:
    """Return this user's cache of image descriptions."""
    folder = cache_folder()
    return DescriptionCache(None if folder is None else folder / "images")


def describe(engine: Engine, image_id: str, cache: DescriptionCache) -> Description:
    """Return the description of a local image. Raises ImageError if there is none."""
    known = cache.get(image_id)
    if known is None:
        content = read_content(engine, image_id, wanted)
        known = Description(content.sha256, inventory(content))
        cache.put(image_id, known)
    return known


def wanted(path: str) -> bool:
    """Return whether the inventory needs the bytes of the file at that path."""
    return (
        path == DPKG
        or path in OS_RELEASE
        or bool(_METADATA.fullmatch(path))
        or bool(_DEPS.fullmatch(path))
    )


def inventory(content: Content) -> tuple[Part, ...]:
    """Return all software and data found in the image, sorted by kind, name and version."""
    parts = {
        *_debian(content.kept),
        *_python(content.kept),
        *_nuget(content.kept),
        *_runtimes(content.entries),
        *_data(content.entries),
    }
    return tuple(sorted(parts, key=lambda part: (part.kind, part.name, part.version)))


def parts_document(parts: Iterable[Part]) -> list[dict[str, str]]:
    """Return an image's parts as JSON values, without their empty fields."""
    return [{key: value for key, value in vars(part).items() if value} for part in parts]


def parts_from(document: Iterable[Mapping[str, str]]) -> tuple[Part, ...]:
    """Return the parts that ``parts_document`` wrote. Raises TypeError for another document."""
    return tuple(Part(**{"version": "", **part}) for part in document)


def sbom_json(name: str, content_sha256: str, parts: Sequence[Part]) -> bytes:
    """Return the bill of materials (SBOM) of an image as CycloneDX JSON.

    ``name`` is the image's, ``content_sha256`` its content digest (64 hex digits).
    """
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot5

    image = Component(
        name=name,
        type=ComponentType.CONTAINER,
        version=f"sha256:{content_sha256}",
        bom_ref="image",
    )
    bom = Bom(serial_number=uuid.UUID(content_sha256[:32], version=5))
    bom.metadata.timestamp = None  # type: ignore[assignment]
    bom.metadata.component = image
    for part in parts:
        bom.components.add(_component(_encodable(part)))
    bom.register_dependency(image, bom.components)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = JsonV1Dot5(bom).output_as_string(indent=2)
    return (text + "\n").encode()


def _debian(kept: Mapping[str, bytes]) -> Iterator[Part]:
    release = _distro(kept)
    for paragraph in _text(kept.get(DPKG, b"")).split("\n\n"):
        fields = HeaderParser().parsestr(paragraph)
        if fields.get("Status", "").endswith(" installed"):
            yield Part(
                kind="deb",
                name=_field(fields.get("Package")),
                version=_field(fields.get("Version")),
                arch=_field(fields.get("Architecture")),
                distro=release,
            )


def _distro(kept: Mapping[str, bytes]) -> str:
    """Return the distribution as in package URLs, such as "debian-12"; "" if unknown."""
    for path in OS_RELEASE:
        if path in kept:
            values = parse_os_release(_text(kept[path]))
            return f"{values.get('ID', '')}-{values.get('VERSION_ID', '')}".strip("-")
    return ""


def _python(kept: Mapping[str, bytes]) -> Iterator[Part]:
    for path, content in kept.items():
        if _METADATA.fullmatch(path):
            fields = HeaderParser().parsestr(_text(content))
            licence = fields.get("License-Expression") or fields.get("License") or ""
            # Some packages put the complete text there: its first line names the licence.
            licence = next((line.strip() for line in licence.splitlines() if line.strip()), "")
            yield Part(
                kind="pypi",
                name=_field(fields.get("Name")).lower().replace("_", "-"),
                version=_field(fields.get("Version")),
                licence=licence[:200],
            )


def _nuget(kept: Mapping[str, bytes]) -> Iterator[Part]:
    for path, content in kept.items():
        if not _DEPS.fullmatch(path):
            continue
        try:
            libraries = read_json(content)["libraries"].items()
            packages = [name for name, library in libraries if library["type"] == "package"]
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
        for package in packages:
            name, _, version = package.partition("/")
            yield Part(kind="nuget", name=name, version=version)


def _runtimes(entries: Mapping[str, ContentEntry]) -> Iterator[Part]:
    for path, entry in entries.items():
        dotnet, python = _RUNTIME.fullmatch(path), _LIBPYTHON.fullmatch(path)
        if dotnet and entry.type == "dir":
            yield Part(kind="runtime", name=dotnet[1], version=dotnet[2])
        elif python and entry.type == "file":
            yield Part(kind="runtime", name="CPython", version=python[1], sha256=entry.what)


def _data(entries: Mapping[str, ContentEntry]) -> Iterator[Part]:
    for path, entry in entries.items():
        if path.startswith(DATA) and entry.type == "file":
            yield Part(kind="data", name=path.removeprefix(DATA), version="", sha256=entry.what)


def _field(value: str | None) -> str:
    return (value or "").strip()


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _encodable(part: Part) -> Part:
    """Return the part with replacement characters for surrogates, which no package URL can have."""
    fields = vars(part).items()
    return Part(**{name: text.encode(*_PASS).decode("utf-8", "replace") for name, text in fields})


def _component(part: Part) -> Component:
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.license import DisjunctiveLicense

    return Component(
        name=part.name,
        version=part.version or None,
        type=ComponentType.DATA if part.kind == "data" else ComponentType.LIBRARY,
        purl=_purl(part),
        bom_ref=f"{part.kind}/{part.name}@{part.version}",
        licenses=[DisjunctiveLicense(name=part.licence)] if part.licence else None,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=part.sha256)] if part.sha256 else None,
    )


def _purl(part: Part) -> PackageURL | None:
    from packageurl import PackageURL

    if part.kind not in _PURL_TYPES:
        return None
    qualifiers = {"arch": part.arch, "distro": part.distro}
    return PackageURL(
        type=_PURL_TYPES[part.kind],
        namespace="debian" if part.kind == "deb" else None,
        name=part.name,
        version=part.version or None,
        qualifiers={key: value for key, value in qualifiers.items() if value} or None,
    )
