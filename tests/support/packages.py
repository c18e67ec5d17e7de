"""Debian packages that a test needs and the machine may lack."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest


def install(*packages: str) -> None:
    """Install the packages as root; fail the test where that cannot be done."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.fail(f"missing here: apt-get install {' '.join(packages)}")
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=300"]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(
            [*apt, *arguments], env=env, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
