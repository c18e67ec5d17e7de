"""The software bill of materials of an image, as CycloneDX 1.5 JSON.

It has no time and no random number, so that the same image gives the same bytes. The
serial number is derived from the content digest.
"""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kit.images.inspect.packages import Part

if TYPE_CHECKING:
    from cyclonedx.model.component import Component
    from packageurl import PackageURL

_PURL_TYPES = {"deb": "deb", "pypi": "pypi", "nuget": "nuget", "runtime": "generic"}


def sbom_json(name: str, content_sha256: str, parts: Sequence[Part]) -> bytes:
    """Return the document of an image of that name and content digest (64 hex digits)."""
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
        bom.components.add(_component(part))
    bom.register_dependency(image, bom.components)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        text = JsonV1Dot5(bom).output_as_string(indent=2)
    return (text + "\n").encode()


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
