"""Opening a results folder: the names that code asks for, and how much it may hold."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from kit.folder import Folder, Rules, open_folder

RUN_LOG = "runlog.jsonl"
SUMS = "SHA256SUMS"
SIGNATURE = f"{SUMS}.sig"
"""Of the sums, by somebody who vouches for them; it is not one of the files summed."""
STUDY = "study"
"""The copy of the study."""
SBOMS = "sbom"
"""The bills of materials of the images."""
EXPLAINING = "explain"
"""A session beside the one of the folder, which it explains."""
RUN_LOG_BYTES = 1_000_000_000
"""A log of 10,000 runs of 100 samples takes about 330 MB."""
SIGNATURE_BYTES = 100_000
"""One by an RSA key of 16384 bits takes about 6 kB; a certificate may take more."""
REMEDY = "give the folder of a session that `kit reproduce` made"

_RULES = Rules(
    file_bytes=250_000_000,
    total_bytes=4_000_000_000,
    entries=30_000,
    missing=REMEDY,
    of={
        RUN_LOG: RUN_LOG_BYTES,
        f"{EXPLAINING}/{RUN_LOG}": RUN_LOG_BYTES,
        SUMS: 20_000_000,
        SIGNATURE: SIGNATURE_BYTES,
    },
)


def open_results(folder: Path) -> AbstractContextManager[Folder]:
    """Open the results of a session for reading. Raise InputError where there is no folder."""
    return open_folder(folder, _RULES)
