"""The words that lie in a bundle for whoever opens it."""

from __future__ import annotations

import sys

from kit.images.bundle.document import Document


def readme(document: Document, dependencies: bool) -> bytes:
    """README.txt. ``dependencies``: the wheels of what the kit needs are in it too."""
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
