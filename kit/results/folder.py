"""Opening of a results folder, within limits of its size."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from kit.files.folder import Folder, Rules, open_folder
from kit.results.names import ABLATION, RUN_LOG, SIGNATURE, SUMS
from kit.study.folder import VERSION_CONTROL

RUN_LOG_BYTES = 1_000_000_000
"""A log of 10,000 runs of 100 samples takes about 330 MB."""
SIGNATURE_BYTES = 100_000
"""A signature by an RSA key of 16384 bits takes about 6 kB; a certificate may take more."""
REMEDY = "give the folder of a session that `kit reproduce` made"

_RULES = Rules(
    file_bytes=250_000_000,
    total_bytes=4_000_000_000,
    entries=30_000,
    missing=REMEDY,
    of={
        RUN_LOG: RUN_LOG_BYTES,
        f"{ABLATION}/{RUN_LOG}": RUN_LOG_BYTES,
        SUMS: 20_000_000,
        SIGNATURE: SIGNATURE_BYTES,
    },
    left_out=VERSION_CONTROL.__contains__,
)


def open_results(folder: Path) -> AbstractContextManager[Folder]:
    """Open the results of a session for reading. Raise InputError if there is no folder."""
    return open_folder(folder, _RULES)
