"""Unit tests: plots are drawn only where a test looks at them, and the same reports made once."""

from __future__ import annotations

import os
import pickle
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest
from support.once import Once
from support.undrawn import undrawn

from kit.app import pipeline
from kit.errors import KitError
from kit.files import documents
from kit.host import network
from kit.report import build, files
from kit.report.plots import drawings
from kit.study import folder as study_pins
from kit.study import load
from kit.verify import plots, reports

_draw_all = Once(drawings.draw_all)
_build_report = Once(build.build_report)
_explain = Once(reports.judge_ablation)
_distance, _paints = Once(plots.distance), Once(plots.paints)
_report_files = {drawn: Once(files.report_files) for drawn in (True, False)}
"""By whether plots are drawn."""


def _made_once(patch: pytest.MonkeyPatch, drawn: bool) -> None:
    for module in (pipeline, reports):
        patch.setattr(module, "report_files", _report_files[drawn])
    for module in (pipeline, reports, build):
        patch.setattr(module, "build_report", _build_report)
    patch.setattr(reports, "judge_ablation", _explain)
    patch.setattr(plots, "distance", _distance)
    patch.setattr(plots, "paints", _paints)


_list_pip_config = network._pip_config_list


_READ_BY_PIP = re.compile("PIP_|XDG_|HOME$|PATH$|VIRTUAL_ENV$|PYTHON")


def _pip_settings(_program: str, _environment: object) -> str:
    return _list_pip_config()


def _pip_environment() -> list[tuple[str, str]]:
    """What pip can read; pytest changes a variable of its own before every test."""
    return sorted(each for each in os.environ.items() if _READ_BY_PIP.match(each[0]))


@lru_cache
def _parsed(content: bytes) -> bytes:
    return pickle.dumps(documents.read_yaml(content, "", ""))


def _read_yaml(content: bytes, where: str, remedy: str) -> Any:
    """Values of their own each time; what cannot be read is read again, to say where."""
    try:
        return pickle.loads(_parsed(content))
    except KitError:
        return documents.read_yaml(content, where, remedy)


@pytest.fixture(scope="session", autouse=True)
def no_bundle_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what the user's own commands left, such as a loaded bundle, out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_DATA_HOME", "XDG_STATE_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name)))
        yield


@pytest.fixture(scope="session", autouse=True)
def nothing_waited_for() -> Iterator[None]:
    """Read a study's files and ask pip for its settings once, and leave files to the page cache.

    The second takes half a second; a disk that must hold each line of a log, longer than the test.
    """
    asked = Once(_pip_settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _file: None)
        for module in (load, study_pins):
            patch.setattr(module, "read_yaml", _read_yaml)
        patch.setattr(
            network, "_pip_config_list", lambda: asked(sys.executable, _pip_environment())
        )
        yield


@pytest.fixture(scope="module", autouse=True)
def drawn(request: pytest.FixtureRequest) -> Iterator[None]:
    """Replace plots, whose drawing is most of a report's time, by empty ones.

    Modules marked ``drawn`` have real ones, the same session's once. In modules marked
    ``made_once``, which look at folders and not at how reports come about, the same log's
    reports are made once too.
    """
    real = "drawn" in request.keywords
    with pytest.MonkeyPatch.context() as patch:
        if real:
            patch.setattr(drawings, "draw_all", _draw_all)
        else:
            undrawn(patch.setattr)
        if "made_once" in request.keywords:
            _made_once(patch, real)
        yield


@pytest.fixture
def made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports really made, in a module marked ``made_once``, for a test that changes how."""
    for module in (pipeline, reports, build):
        monkeypatch.setattr(module, "build_report", _build_report.function)
    for module in (pipeline, reports):
        monkeypatch.setattr(module, "report_files", files.report_files)


@pytest.fixture
def empty_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots with names and words alone, in a module marked ``drawn``."""
    monkeypatch.setattr(drawings, "draw_all", _draw_all.function)
    undrawn(monkeypatch.setattr)
