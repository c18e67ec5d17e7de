"""What several modules of engine tests use, made once."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from collections.abc import Iterator

import pytest
from support.bundled import Saved

from kit.engine.docker import DockerEngine
from kit.host.network import read_network
from kit.images.build.arms import Builder, Options
from kit.pins.load import shipped_pins
from kit.study.load import shipped_study


@pytest.fixture(scope="session", autouse=True)
def built(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The shipped study's images, built by one worker while the other waits."""
    lock = tmp_path_factory.getbasetemp().parent / "images.lock"
    with lock.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        builder = Builder(engine, shipped_pins(), read_network(), Options(), print)
        builder.build(shipped_study(), ("python-cpu", "dotnet-cpu"))


@pytest.fixture(scope="session")
def bundle(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saved]:
    """The bundle of the shipped study, as `kit bundle save` makes it."""
    file = tmp_path_factory.mktemp("bundle") / "kit.bundle"
    saved = subprocess.run(
        [sys.executable, "-m", "kit", "bundle", "save", str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert saved.returncode == 0, saved.stderr
    yield Saved(file, saved)
    file.unlink()
