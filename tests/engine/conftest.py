"""What several modules of engine tests use, made once."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from support.bundled import Saved

from kit.engine.docker import DockerEngine
from kit.host.network import read_network
from kit.images.build.arms import Builder, BuildOptions
from kit.images.build.recipe import Tools
from kit.pins.load import shipped_pins
from kit.study.load import load_study, shipped_study, write_new_study
from kit.study.model import Study


@contextmanager
def alone(factory: pytest.TempPathFactory, what: str) -> Iterator[None]:
    """Keep the other worker waiting that would make the same."""
    with (factory.getbasetemp().parent / f"{what}.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def build(engine: DockerEngine, study: Study, *arms: str) -> None:
    """Make the images of those arms."""
    Builder(Tools(engine, shipped_pins(), read_network(), print), BuildOptions()).build(study, arms)


@pytest.fixture(scope="session", autouse=True)
def based(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The Python base, by building the light study that rests on it."""
    folder = tmp_path_factory.mktemp("light") / "squares"
    write_new_study(folder)
    study = load_study(folder)
    with alone(tmp_path_factory, "bases"):
        build(engine, study, *study.arms)


@pytest.fixture(scope="session")
def built(engine: DockerEngine, based: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The shipped study's images. Tests of the machine's lock that need none run before."""
    with alone(tmp_path_factory, "images"):
        build(engine, shipped_study(), "python-cpu", "dotnet-cpu")


@pytest.fixture(scope="session")
def bundle(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saved]:
    """The bundle of the shipped study, as `kit bundle save` makes it."""
    file = tmp_path_factory.mktemp("bundle") / "kit.bundle"
    saved = subprocess.run(
        [sys.executable, "-m", "kit", "bundle", "save", str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert saved.returncode == 0, saved.stderr
    yield Saved(file, saved)
    file.unlink()
