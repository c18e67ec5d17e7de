"""Packages from npm, each checked by its hash; without npm a skip, and in CI a failure."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import NoReturn

import pytest


def lacking(reason: str) -> NoReturn:
    """End a test that needs what this machine lacks."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def unpacked(package: str, sha512: str, place: Path) -> Path:
    """Fetch a package, "name@version", with that hash in base64; its folder below ``place``."""
    if not (shutil.which("npm") and shutil.which("node")):
        lacking("this machine has no npm and node")
    command = ["npm", "pack", package]
    done = subprocess.run(
        command, cwd=place, capture_output=True, text=True, check=False, timeout=300
    )
    if done.returncode:
        lacking(f"{' '.join(command)}: {done.stderr[-500:]}")
    (archive,) = place.glob("*.tgz")
    assert base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() == sha512
    with tarfile.open(archive) as packed:
        packed.extractall(place, filter="data")
    return place / "package"
